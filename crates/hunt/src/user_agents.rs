//! User agents: what a request says of the program that makes it, and of the system it runs on.

use monologue_model::ClaimedAgent;

/// Names in a user agent that only browsers, and programs that pass themselves off as one, write.
const BROWSERS: &[&str] = &["Chrome/", "Firefox/", "Safari/", "Edg/", "OPR/", "MSIE ", "Trident/"];

/// Names of frameworks that put a browser's name into the user agent of an application.
const EMBEDDED: &[&str] = &["Electron/", "CEF/", "QtWebEngine/", "; wv)", "HeadlessChrome/"];

/// Systems, as user agents name them, that are not macOS.
const OTHER_SYSTEMS: &[(&str, ClaimedAgent)] = &[
    ("Windows NT", ClaimedAgent::BrowserOnWindows),
    ("Android", ClaimedAgent::BrowserElsewhere),
    ("iPhone", ClaimedAgent::BrowserElsewhere),
    ("X11; Linux", ClaimedAgent::BrowserElsewhere),
    ("CrOS", ClaimedAgent::BrowserElsewhere),
];

/// What a user agent claims.
pub(crate) fn claimed(user_agent: &str) -> ClaimedAgent {
    let names = |words: &[&str]| words.iter().any(|word| user_agent.contains(word));
    if !user_agent.starts_with("Mozilla/") || !names(BROWSERS) || names(EMBEDDED) {
        return ClaimedAgent::NoBrowser;
    }
    let elsewhere = OTHER_SYSTEMS.iter().find(|(word, _)| user_agent.contains(word));
    elsewhere.map_or(ClaimedAgent::BrowserOnMac, |(_, claimed)| *claimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_from_programs_and_their_systems_from_each_other() {
        let safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15";
        assert_eq!(claimed(safari), ClaimedAgent::BrowserOnMac);
        let explorer = "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)";
        assert_eq!(claimed(explorer), ClaimedAgent::BrowserOnWindows);
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
        assert_eq!(claimed(chrome), ClaimedAgent::BrowserElsewhere);
        // An application with a browser inside says both names.
        let app = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Parlour/4.1 Chrome/130.0.0.0 Electron/33.0 Safari/537.36";
        assert_eq!(claimed(app), ClaimedAgent::NoBrowser);
        // A web view of the system names no browser.
        let view = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for other in [view, "Pinboard/12 CFNetwork/1568.200.51 Darwin/24.1.0", "curl/8.7.1", "python-requests/2.32", ""]
        {
            assert_eq!(claimed(other), ClaimedAgent::NoBrowser, "{other}");
        }
    }
}
