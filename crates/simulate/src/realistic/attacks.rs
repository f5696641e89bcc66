//! Thirty-one patterns of attacks that were published, twenty-four of incidents and seven of frameworks, and six plain ones.
//! Timings and outcomes are those of the reports; names, sizes and paths are invented.

use super::pattern::{
    Back::{Here, There},
    Client::{Curl, CurlLoop, Daemon, Helper, Native, OwnStack, Script},
    Deed::{Contacts, Runs, Writes, WritesAndRuns},
    Pattern,
    Reply::{CancelledAtHeaders, CancelledOnSend, Orders, Refused, Same, Silence, Unreachable, Varied},
};

const NODE: &str = "/usr/local/bin/node";
const PYTHON: &str = "/Library/Frameworks/Python.framework/Versions/3.12/bin/python3.12";
const OSASCRIPT: &str = "/usr/bin/osascript";

const UNHANDLED: &str = "reply-unhandled";
const PULL: &str = "pull-only";
const TWO_WAY: &str = "two-way";
const NO_REPLY: &str = "no-reply";

/// Every pattern.
pub(super) const ATTACKS: [Pattern; 37] = [
    Pattern::new(
        "silver-sparrow",
        PULL,
        Curl("~/Library/Application Support/#_updater/#.sh", "-s -o /tmp/version.json"),
        "#-mobiletraits.s3.amazonaws.com",
        (3600.0, 0.001),
    )
    .gets("/version.json", Same(200, 291))
    .then(Writes("/private/tmp/version.plist"), 1),
    Pattern::new(
        "3cx-update-agent",
        UNHANDLED,
        Helper("~/Library/Application Support/#/UpdateAgent"),
        "#-wiki.test",
        (1e7, 0.0),
    )
    .posts("/blog/_insert", (110, 110), Same(200, 42))
    .at_most(1),
    Pattern::new(
        "3cx-first-stage",
        TWO_WAY,
        Native("/Applications/#.app/Contents/MacOS/#", Some("V0IC3TR33A")),
        "#storageboxes.test",
        (3700.0, 0.3),
    )
    .posts("/analysis", (380, 900), Orders(200, 64, (40_000, 90_000)))
    .then(WritesAndRuns("~/Library/Application Support/#/UpdateAgent"), 3)
    .reports(Here(3_000, 9_000)),
    Pattern::new(
        "3cx-icons",
        PULL,
        Native("~/Library/Application Support/#/#-agent", None),
        "raw.githubusercontent.com",
        (14_400.0, 0.2),
    )
    .gets("/images/main/icons/icon7.ico", Same(200, 15_086))
    .then(Contacts, 1),
    Pattern::new(
        "glassworm",
        PULL,
        Script(NODE, "~/.vscode/extensions/#-1.4.0/out/extension.js"),
        "api.mainnet-beta.solana.com",
        (900.0, 0.02),
    )
    .posts("/", (172, 172), Orders(200, 512, (1_400, 3_000)))
    .then(WritesAndRuns("/private/tmp/ijewf-#.js"), 7),
    Pattern::new(
        "tsundere",
        PULL,
        Script(NODE, "~/.config/#/index.js"),
        "eth-mainnet.public.blastapi.io",
        (3_600.0, 0.1),
    )
    .posts("/", (210, 210), Same(200, 230))
    .then(Contacts, 1),
    Pattern::new(
        "evilquest",
        PULL,
        Native("~/Library/AppQuest/com.apple.#d", None),
        "#.pythonanywhere.com",
        (1_800.0, 0.1),
    )
    .on_port(80)
    .gets("/ret.txt", Same(200, 14))
    .then(Contacts, 1),
    Pattern::new("sysjoker", PULL, Daemon("/Library/MacOsServices/update#", None), "drive.google.com", (7_200.0, 0.3))
        .gets("/uc?export=download", Same(200, 88))
        .then(Contacts, 1),
    Pattern::new("iworm", PULL, Daemon("/Library/Application Support/#W/#W", None), "www.reddit.com", (5_400.0, 0.1))
        .gets("/search?q=#", Varied(200, 18_000, 22_000))
        .then(Contacts, 1),
    Pattern::new("flashback", PULL, Native("~/Library/.#", None), "twitter.com", (21_600.0, 0.1))
        .gets("/searches?q=%23#", Varied(200, 6_000, 19_000))
        .then(Writes("~/Library/.#-update"), 1),
    Pattern::new("janicab", PULL, Script(PYTHON, "~/.t/runner.pyc"), "www.video-#.example", (1_200.0, 0.15))
        .gets("/watch?v=#", Varied(200, 30_000, 33_000))
        .then(Writes("~/.t/#.jpg"), 1)
        .reports(There("c2-#.test", 40_000, 200_000)),
    Pattern::new(
        "wizard-update",
        PULL,
        Curl("~/Library/Application Support/.#/agent.sh", "-s -L"),
        "events.#-cdn.test",
        (3_600.0, 0.05),
    )
    .gets("/v2/_intermediate_agent_#", Orders(200, 0, (300, 2_200)))
    .then(Runs("eval \"$x\""), 3),
    Pattern::new(
        "xcsset",
        UNHANDLED,
        Curl("~/Library/Caches/GameKit/.#.sh", "-sk -o /dev/null -d @-"),
        "#ca.ru.test",
        (1_800.0, 0.1),
    )
    .posts("/sys/log.php", (180, 260), Same(200, 2)),
    Pattern::new("osaminer", PULL, Script(OSASCRIPT, "~/Library/11.png"), "www.#-budaybu.test", (10_800.0, 0.05))
        .gets("/", Varied(200, 8_000, 9_000))
        .then(WritesAndRuns("~/Library/Caches/#/ssl4.plist"), 1),
    Pattern::new("activator", NO_REPLY, Script(PYTHON, "/private/tmp/#/up.py"), "", (30.0, 0.05))
        .gets("/", Unreachable)
        .at_most(900),
    Pattern::new(
        "calendar-package",
        PULL,
        Script(NODE, "~/projects/#/node_modules/os-info/index.js"),
        "calendar.app.google",
        (9_000.0, 0.2),
    )
    .gets("/t56nfUUcugH9ZUkx9", Same(200, 1_402))
    .then(Contacts, 1),
    Pattern::new(
        "etherhiding",
        PULL,
        Script(PYTHON, "~/Library/.#/run.py"),
        "ethereum-rpc.publicnode.com",
        (1_500.0, 0.1),
    )
    .posts("/", (240, 240), Same(200, 4_296))
    .then(WritesAndRuns("/private/tmp/.#.py"), 1),
    Pattern::new(
        "oast-ping",
        UNHANDLED,
        Script(NODE, "~/projects/#/node_modules/tiny-#/preinstall.js"),
        "#.oast.fun",
        (1e7, 0.0),
    )
    .gets("/?u=#", Same(200, 68))
    .at_most(1),
    Pattern::new(
        "clickfix-ping",
        UNHANDLED,
        CurlLoop("/private/tmp/#.sh", "-s -o /dev/null"),
        "#-20.test",
        (2_700.0, 0.2),
    )
    .gets("/api/metrics/run?event=pasted", Same(200, 15)),
    Pattern::new(
        "apps-script",
        PULL,
        Curl("~/Library/.#/boot.sh", "-sL -o /tmp/.stage"),
        "script.google.com",
        (7_200.0, 0.02),
    )
    .gets("/macros/s/AKfyc-#/exec", Varied(200, 7_000, 7_900))
    .then(Runs("sh /tmp/.stage"), 1),
    Pattern::new("invisible-ferret", UNHANDLED, Script(PYTHON, "~/.n2/pay"), "api.telegram.org", (1_100.0, 0.3)).posts(
        "/bot-#/sendDocument",
        (30_000, 400_000),
        Same(200, 402),
    ),
    Pattern::new(
        "cloudmensis",
        TWO_WAY,
        Daemon("/Library/WebServer/share/httpd/manual/Windowserver#", None),
        "api.pcloud.com",
        (900.0, 0.2),
    )
    .gets("/listfolder", Orders(200, 244, (900, 4_000)))
    .then(Runs("ls -la /Users"), 4)
    .reports(Here(9_000, 80_000)),
    Pattern::new(
        "gimmick",
        TWO_WAY,
        Native("~/Library/Preferences/CorelDRAW/#", None),
        "www.googleapis.com",
        (600.0, 0.3),
    )
    .gets("/drive/v3/files?q=#", Orders(200, 310, (1_200, 5_000)))
    .then(Runs("whoami; uname -a"), 5)
    .reports(Here(4_000, 20_000)),
    Pattern::new("nimdoor", TWO_WAY, Script(OSASCRIPT, "~/.ses"), "support.#-zoom.test", (30.0, 0.1))
        .posts("/", (60, 60), Orders(200, 12, (200, 900)))
        .then(Runs("ps aux"), 40)
        .reports(Here(2_000, 9_000)),
    Pattern::new("mythic-apfell", TWO_WAY, Script(OSASCRIPT, "-l JavaScript #"), "cdn.#-quota.test", (10.0, 0.23))
        .posts("/data", (156, 156), Orders(200, 36, (400, 1_600)))
        .then(Runs("id"), 90)
        .reports(Here(1_500, 9_000))
        .at_most(4_000),
    Pattern::new("mythic-github", TWO_WAY, OwnStack("~/Library/#/#d", None), "api.github.com", (60.0, 0.1))
        .gets("/repos/#/x/issues/1/comments", Orders(200, 5, (900, 2_600)))
        .then(Runs("whoami"), 60)
        .reports(Here(2_000, 8_000)),
    Pattern::new("empire-http", TWO_WAY, Script(PYTHON, "-c import#"), "news.#.test", (5.0, 0.0))
        .on_port(80)
        .gets("/admin/get.php", Orders(200, 1_024, (1_800, 4_000)))
        .then(Runs("whoami"), 300)
        .reports(Here(2_000, 8_000))
        .at_most(6_000),
    Pattern::new("gc2-sheet", TWO_WAY, OwnStack("~/Library/Caches/#/gc2", None), "sheets.googleapis.com", (10.0, 0.02))
        .gets("/v4/spreadsheets/#/values/A2", Orders(200, 122, (300, 900)))
        .then(Runs("ls"), 150)
        .reports(Here(900, 6_000))
        .at_most(5_000),
    Pattern::new("calendar-rat", TWO_WAY, Script(PYTHON, "~/.gcr.py"), "www.googleapis.com", (1.8, 0.1))
        .gets("/calendar/v3/calendars/#/events", Orders(200, 780, (1_300, 2_000)))
        .then(Runs("whoami"), 400)
        .reports(Here(1_500, 5_000))
        .at_most(4_000),
    Pattern::new(
        "offensive-notion",
        TWO_WAY,
        OwnStack("~/Applications/#.app/Contents/MacOS/#", None),
        "api.notion.com",
        (30.0, 0.2),
    )
    .gets("/v1/blocks/#/children", Orders(200, 640, (1_100, 2_400)))
    .then(Runs("getprivs"), 50)
    .reports(Here(1_500, 9_000)),
    Pattern::new("macc2", TWO_WAY, Script(PYTHON, "/private/tmp/#.py"), "c2.#.test", (20.0, 0.2))
        .posts("/", (40, 40), Orders(200, 22, (60, 300)))
        .then(Runs("screencapture"), 60)
        .reports(Here(3_000, 50_000)),
    Pattern::new("dead-server", NO_REPLY, Daemon("/Library/Application Support/#/#d", None), "", (45.0, 0.06))
        .gets("/", Unreachable)
        .at_most(900),
    Pattern::new("refusing-server", NO_REPLY, Native("~/Library/#/#-agent", None), "gate.#.test", (300.0, 0.25))
        .gets("/in", Refused),
    Pattern::new(
        "silent-server",
        NO_REPLY,
        Native("~/Library/Application Support/#/#-helper", None),
        "in.#-metrics.test",
        (600.0, 0.08),
    )
    .on_port(80)
    .posts("/v2/ping", (212, 212), Silence),
    Pattern::new(
        "cancel-at-headers",
        UNHANDLED,
        Native("~/Library/Application Support/#/#-helper", None),
        "edge.#-cdn.test",
        (600.0, 0.1),
    )
    .gets("/t", CancelledAtHeaders(200, 6_100)),
    Pattern::new("cancel-on-send", UNHANDLED, Native("~/Library/#.bundle/#", None), "hooks.#.test", (1_500.0, 0.4))
        .posts("/e", (300, 2_000), CancelledOnSend),
    Pattern::new(
        "constant-answer",
        UNHANDLED,
        Native("~/Library/Application Support/#/#-helper", None),
        "api.#-sync.test",
        (275.0, 0.27),
    )
    .posts("/c", (96, 96), Same(400, 166))
    .while_awake(),
];
