//! A browser opens the page and clicks through it. Passed over, with a word, where no Chromium is installed.
#![cfg(test)]

mod fixed;

use fixed::{finding, report, written};
use serde_json::{Value, json};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A browser that is spoken to through a pair of pipes: messages of its DevTools protocol, each ended by a zero byte.
struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    next: u64,
    session: Option<String>,
}

impl Browser {
    fn start(program: &str, folder: &Path) -> Self {
        let (to, from) = (folder.join("to"), folder.join("from"));
        for pipe in [&to, &from] {
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        let command = format!(
            "exec {program} --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir='{0}/profile' --remote-debugging-pipe \
             about:blank 3<'{0}/to' 4>'{0}/from'",
            folder.display()
        );
        let child =
            Command::new("sh").args(["-c", &command]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Each side waits for the other to open, in this order.
        let to = OpenOptions::new().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        Self { child, to, from, next: 0, session: None }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(&[0]).unwrap();
        loop {
            let mut bytes = Vec::new();
            assert!(self.from.read_until(0, &mut bytes).unwrap() > 0, "the browser went away");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{answer}");
                return answer["result"].clone();
            }
        }
    }

    fn open(&mut self, page: &Path) {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = self.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        self.call("Page.navigate", &json!({"url": format!("file://{}", page.display())}));
        for _ in 0..200 {
            if self.evaluate("document.readyState === 'complete' && location.protocol === 'file:'") == json!(true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the page was not loaded");
    }

    fn evaluate(&mut self, script: &str) -> Value {
        let parameters = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key, as a keyboard does.
    fn press(&mut self, key: &str, code: &str, text: &str) {
        let mut parameters = json!({"type": "keyDown", "key": key, "code": code});
        if !text.is_empty() {
            parameters["text"] = json!(text);
        }
        if key == "Enter" {
            parameters["windowsVirtualKeyCode"] = json!(13);
        }
        self.call("Input.dispatchKeyEvent", &parameters);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key, "code": code}));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It is ours, and it may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok())
}

#[test]
fn a_browser_turns_pages_filters_and_brings_up_findings() {
    let Some(program) = chromium() else {
        eprintln!("passed over: no Chromium is installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let findings: Vec<_> = (0..700).map(|number| finding(number, number % 7 == 0)).collect();
    let last = format!("f{}", findings[699].id);
    std::fs::write(&page, written("html", &report(findings))).unwrap();
    let mut browser = Browser::start(program, folder.path());
    browser.open(&page);

    // Its own script runs although the policy allows no other; the list shows its first page.
    assert_eq!(browser.evaluate("document.getElementById('tools').hidden"), json!(false));
    assert_eq!(browser.evaluate("document.querySelector('table.list').tBodies[0].rows.length"), json!(50));
    assert_eq!(browser.evaluate("document.getElementById('count').textContent"), json!("1 to 50 of 700"));
    browser.evaluate("document.getElementById('on').click()");
    assert_eq!(browser.evaluate("document.getElementById('count').textContent"), json!("51 to 100 of 700"));

    // The search is reached and used by keyboard alone.
    browser.press("/", "Slash", "/");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("search"));
    for digit in ["m", "a", "c", "-", "6", "9", "9"] {
        browser.press(digit, "", digit);
    }
    assert_eq!(browser.evaluate("document.getElementById('count').textContent"), json!("1 to 1 of 1"));

    // The last finding lies in a template until it is chosen.
    assert_eq!(browser.evaluate(&format!("document.getElementById('{last}')")), Value::Null);
    browser.evaluate("document.querySelector('table.list a').focus()");
    browser.press("Enter", "Enter", "\r");
    let shown = format!("new Promise((done) => setTimeout(() => done(document.getElementById('{last}')?.open), 200))");
    assert_eq!(browser.evaluate(&shown), json!(true));
    assert_eq!(browser.evaluate("document.activeElement.tagName"), json!("SUMMARY"));

    // A level and a disposition narrow the list; what is hostile stays text.
    browser.evaluate(
        "const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input')); \
         const d = document.getElementById('disposition'); d.value = 'unknown'; d.dispatchEvent(new Event('change'))",
    );
    assert_eq!(browser.evaluate("document.getElementById('count').textContent"), json!("1 to 50 of 100"));
    assert_eq!(browser.evaluate("document.querySelector('table.list tbody script')"), Value::Null);
    assert_eq!(
        browser.evaluate("document.querySelector('table.list tbody tr').cells[3].textContent.includes('\\u202e')"),
        json!(false)
    );

    // Sorting by a column head, and no wider than the window at three widths.
    browser.evaluate("document.querySelector('table.list thead button').click()");
    assert_eq!(
        browser.evaluate("document.querySelector('table.list thead th').getAttribute('aria-sort')"),
        json!("ascending")
    );
    for width in [390, 820, 1280] {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        assert_eq!(
            browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"),
            json!(true),
            "the page is wider than {width}"
        );
    }
    // Nothing was asked of any network: the page is the only thing that was loaded.
    assert_eq!(browser.evaluate("performance.getEntriesByType('resource').length"), json!(0));
}
