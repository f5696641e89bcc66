//! Honest software that talks at regular times: what a hunt for beacons must bear. Names are invented, except those of macOS
//! and of public services.

use super::pattern::{
    Back::Here,
    Client::{Curl, Daemon, Native, OwnStack, Platform, Script},
    Deed::{Runs, Writes},
    Pattern,
    Reply::{Orders, Refused, Same, Unreachable, Varied},
};

const PYTHON: &str = "/Library/Frameworks/Python.framework/Versions/3.12/bin/python3.12";

/// The company's old licence server: one for all, at a public address (of a range given back, RFC 7526).
const LICENCE_SERVER: &str = "192.88.99.27";

/// A printer, at a private address.
const PRINTER: &str = "10.20.3.9";

/// Every pattern, with the share of Macs that have it.
pub(super) const SOFTWARE: [(f64, Pattern); 37] = [
    (
        0.70,
        Pattern::new(
            "metrics-204",
            "reply-unhandled",
            Daemon("/Library/Harborline/harborlined", Some("HRB0RL1N39")),
            "ingest.harborline.example",
            (300.0, 0.0005),
        )
        .posts("/v1/metrics", (380, 950), Same(204, 0)),
    ),
    (
        0.08,
        Pattern::new(
            "metrics-202",
            "reply-unhandled",
            OwnStack("/opt/beaconry/bin/agent", Some("B34C0NRY01")),
            "intake.beaconry.example",
            (60.0, 0.01),
        )
        .posts("/api/series", (2_000, 2_600), Same(202, 15)),
    ),
    (
        0.60,
        Pattern::unseen(
            "endpoint-protection",
            OwnStack("/Library/Castellan/castelland", Some("C4ST3LL4N1")),
            "cloud.castellan.example",
            (301.6, 0.005),
        )
        .posts("/heartbeat", (420, 420), Same(200, 96)),
    ),
    (
        0.60,
        Pattern::new(
            "management-check-in",
            "two-way",
            Platform("/usr/libexec/mdmclient", "com.apple.mdmclient"),
            "mdm.fleetwell.example",
            (14_400.0, 0.05),
        )
        .posts("/checkin", (300, 300), Orders(200, 0, (700, 2_000)))
        .then(Writes("/private/var/db/ConfigurationProfiles/Settings/#.plist"), 3)
        .reports(Here(600, 3_000)),
    ),
    (
        0.60,
        Pattern::new(
            "fetched-settings",
            "pull-only",
            Daemon("/Library/Application Support/Fleetwell/fleetwelld", Some("FL33TW3LL1")),
            "config.fleetwell.example",
            (3_600.0, 0.001),
        )
        .gets("/settings.json", Varied(200, 1_700, 2_600))
        .then(Writes("/Library/Application Support/Fleetwell/settings.json"), 1),
    ),
    (
        0.50,
        Pattern::unseen(
            "grammar-checker",
            Native(
                "/Applications/Quillcheck.app/Contents/Library/LoginItems/QuillAgent.app/Contents/MacOS/QuillAgent",
                Some("QU1LLCH3CK"),
            ),
            "sync.quillcheck.example",
            (900.15, 0.0002),
        )
        .posts("/state", (200, 420), Varied(200, 18, 64)),
    ),
    (
        0.25,
        Pattern::unseen(
            "text-checker",
            OwnStack("/Applications/Proofly.app/Contents/MacOS/Proofly", Some("PR00FLY420")),
            "gates.proofly.example",
            (420.2, 0.0005),
        )
        .posts("/v3/capi", (300, 340), Same(200, 41)),
    ),
    (
        0.70,
        Pattern::new(
            "appcast-updater",
            "pull-only",
            Native("/Applications/Pinboard.app/Contents/MacOS/Pinboard", Some("P1NB04RD77")),
            "raw.githubusercontent.com",
            (86_400.0, 0.02),
        )
        .gets("/pinboard/mac/main/appcast.xml", Same(200, 8_412))
        .then(Writes("~/Library/Caches/example.pinboard.mac/appcast.xml"), 1),
    ),
    (
        0.80,
        Pattern::new(
            "browser-updater",
            "pull-only",
            Native("~/Library/Lantern/LanternUpdate.bundle/Contents/MacOS/LanternUpdate", Some("LANT3RN001")),
            "update.lantern.example",
            (18_000.0, 0.05),
        )
        .posts("/service/update2", (900, 1_100), Varied(200, 600, 900))
        .then(Writes("~/Library/Lantern/TicketStore.plist"), 1),
    ),
    (
        0.55,
        Pattern::unseen(
            "chat-polling",
            OwnStack("/Applications/Parlour.app/Contents/MacOS/Parlour", Some("P4RL0UR001")),
            "poll.parlour.example",
            (110.0, 0.1),
        )
        .gets("/events", Orders(200, 24, (300, 9_000)))
        .while_awake(),
    ),
    (
        0.30,
        Pattern::unseen(
            "messenger-push",
            OwnStack("/Applications/Telegram.app/Contents/MacOS/Telegram", Some("T3L3GR4M01")),
            "api.telegram.org",
            (300.0, 0.3),
        )
        .posts("/api", (120, 700), Varied(200, 100, 3_000)),
    ),
    (
        0.15,
        Pattern::new(
            "build-agent",
            "two-way",
            OwnStack("/opt/runner/bin/Runner.Listener", Some("RUNN3R0001")),
            "pipelines.forge.example",
            (50.0, 0.02),
        )
        .posts("/acquire", (180, 180), Orders(200, 2, (2_000, 9_000)))
        .then(Runs("make test"), 60)
        .reports(Here(4_000, 60_000)),
    ),
    (
        0.40,
        Pattern::unseen(
            "backup",
            Daemon("/Library/Vaultling/vaultlingd", Some("V4ULTL1NG1")),
            "store.vaultling.example",
            (3_600.0, 0.1),
        )
        .posts("/blocks", (20_000, 900_000), Varied(200, 80, 400))
        .then(Writes("/Library/Vaultling/state.db-wal"), 1),
    ),
    (
        0.25,
        Pattern::new(
            "feed-reader",
            "pull-only",
            Native("/Applications/Gazette.app/Contents/MacOS/Gazette", Some("G4Z3TT3001")),
            "feeds.gazette.example",
            (1_800.0, 0.01),
        )
        .gets("/all.xml", Orders(304, 0, (9_000, 60_000)))
        .then(Writes("~/Library/Containers/Gazette/store.db-wal"), 6),
    ),
    (
        0.45,
        Pattern::unseen(
            "weather",
            Native("/Applications/Skyline.app/Contents/MacOS/Skyline", Some("SKYL1N3001")),
            "tiles.skyline.example",
            (1_680.0, 0.002),
        )
        .gets("/now", Varied(200, 1_000, 3_000)),
    ),
    (
        0.90,
        Pattern::unseen(
            "connectivity-check",
            Platform("/usr/libexec/captiveagent", "com.apple.captiveagent"),
            "captive.apple.com",
            (7_200.0, 0.4),
        )
        .on_port(80)
        .gets("/hotspot-detect.html", Same(200, 69)),
    ),
    (
        0.20,
        Pattern::unseen(
            "connectivity-check-204",
            OwnStack("/Applications/Lantern.app/Contents/Frameworks/LanternHelper", Some("LANT3RN001")),
            "connectivity.lantern.example",
            (300.0, 0.0),
        )
        .on_port(80)
        .gets("/generate_204", Same(204, 0))
        .while_awake(),
    ),
    (
        0.08,
        Pattern::new(
            "webhook-to-null",
            "reply-unhandled",
            Curl("/usr/local/corp/report-disk.sh", "-s -o /dev/null -X POST -d @-"),
            "hooks.slack.com",
            (3_600.0, 0.001),
        )
        .posts("/services/T01/B01/x#", (120, 180), Same(200, 2)),
    ),
    (
        0.10,
        Pattern::new(
            "uptime-ping-to-null",
            "reply-unhandled",
            Curl("/usr/local/corp/backup-done.sh", "-fsS -m 10 -o /dev/null"),
            "ping.cronwatch.example",
            (1_800.0, 0.002),
        )
        .gets("/7d1c-#", Same(200, 2)),
    ),
    (
        0.06,
        Pattern::new(
            "dynamic-name",
            "pull-only",
            Curl("/usr/local/corp/dyn.sh", "-s"),
            "update.dynaname.example",
            (900.0, 0.003),
        )
        .on_port(80)
        .gets("/nic/update", Same(200, 19))
        .then(Writes("/usr/local/corp/dyn.log"), 1),
    ),
    (
        0.25,
        Pattern::new(
            "repository-polling",
            "pull-only",
            OwnStack("/Applications/Forgehub Desktop.app/Contents/MacOS/Forgehub Desktop", Some("F0RG3HUB01")),
            "github.com",
            (600.0, 0.1),
        )
        .gets("/org/app.git/info/refs", Varied(200, 1_200, 1_300))
        .then(Writes("~/projects/app/.git/FETCH_HEAD"), 1)
        .while_awake(),
    ),
    (
        0.12,
        Pattern::new(
            "licence-server-gone",
            "no-reply",
            OwnStack("/Applications/Draftwell.app/Contents/MacOS/Draftwell", Some("DR4FTW3LL1")),
            LICENCE_SERVER,
            (600.0, 0.01),
        )
        .on_port(27_000)
        .gets("/", Unreachable)
        .while_awake(),
    ),
    (
        0.15,
        Pattern::new(
            "analytics-blocked",
            "no-reply",
            Native("/Applications/Tunebox.app/Contents/MacOS/Tunebox", Some("TUN3B0X001")),
            "t.adcount.example",
            (450.0, 0.2),
        )
        .posts("/b", (300, 900), Refused)
        .while_awake(),
    ),
    (
        0.05,
        Pattern::new(
            "printer-gone",
            "no-reply",
            Daemon("/Library/Printers/Inkwell/inkwelld", Some("1NKW3LL001")),
            PRINTER,
            (1_724.9, 0.01),
        )
        .on_port(9_100)
        .gets("/", Unreachable),
    ),
    (
        0.35,
        Pattern::new(
            "file-sync",
            "two-way",
            Native("/Applications/Foldermate.app/Contents/MacOS/Foldermate", Some("F0LD3RM8TE")),
            "notify.foldermate.example",
            (1_100.0, 0.2),
        )
        .posts("/subscribe", (140, 160), Orders(200, 60, (500, 2_000)))
        .then(Writes("~/Foldermate/notes-#.md"), 5)
        .reports(Here(900, 40_000)),
    ),
    (
        0.40,
        Pattern::unseen(
            "calendar-sync",
            Platform(
                "/System/Library/PrivateFrameworks/CalendarAgent.framework/Executables/CalendarAgent",
                "com.apple.CalendarAgent",
            ),
            "www.googleapis.com",
            (1_800.0, 0.15),
        )
        .gets("/calendar/v3/sync", Varied(200, 200, 4_000))
        .then(Writes("~/Library/Calendars/Calendar.sqlitedb-wal"), 2),
    ),
    (
        0.05,
        Pattern::new(
            "home-made-metrics",
            "reply-unhandled",
            Native("/usr/local/corp/bin/fleetstat", None),
            "stats.corp.example",
            (600.0, 0.01),
        )
        .posts("/in", (240, 260), Same(200, 2)),
    ),
    (
        0.06,
        Pattern::new(
            "home-made-poller",
            "pull-only",
            Script(PYTHON, "~/bin/builds.py"),
            "api.github.com",
            (120.0, 0.01),
        )
        .gets("/repos/org/app/actions/runs", Varied(200, 4_000, 9_000))
        .then(Writes("~/bin/builds.json"), 1)
        .while_awake(),
    ),
    (
        0.04,
        Pattern::unseen("home-made-chat-bot", Script(PYTHON, "~/bots/standup.py"), "api.telegram.org", (60.0, 0.02))
            .gets("/bot-x/getUpdates", Orders(200, 23, (300, 800))),
    ),
    (
        0.20,
        Pattern::unseen(
            "notes-app",
            OwnStack("/Applications/Notion.app/Contents/MacOS/Notion", Some("N0T10N0001")),
            "api.notion.com",
            (600.0, 0.2),
        )
        .posts("/v1/sync", (200, 900), Varied(200, 100, 4_000))
        .while_awake(),
    ),
    (
        0.15,
        Pattern::new(
            "crash-reporter",
            "reply-unhandled",
            Native("/Applications/Tunebox.app/Contents/Helpers/crashpad", Some("TUN3B0X001")),
            "crash.tunebox.example",
            (9_000.0, 0.8),
        )
        .posts("/submit", (9_000, 90_000), Same(200, 36)),
    ),
    (
        0.10,
        Pattern::unseen(
            "market-data",
            Native("/Applications/Tickertape.app/Contents/MacOS/Tickertape", Some("T1CK3RT4P3")),
            "quotes.tickertape.example",
            (300.0, 0.001),
        )
        .gets("/q", Varied(200, 700, 780))
        .while_awake(),
    ),
    (
        0.10,
        Pattern::unseen(
            "build-cache",
            OwnStack("/opt/homebrew/bin/cachely", None),
            "cache.forge.example",
            (240.0, 0.5),
        )
        .gets("/ac", Orders(404, 9, (9_000, 200_000)))
        .while_awake(),
    ),
    // What one person bought or tried, alone in the fleet: signed, and of a service that nobody else asks.
    (
        0.25,
        Pattern::new(
            "niche-updater",
            "pull-only",
            Native("/Applications/#.app/Contents/MacOS/#", Some("N1CH3UPD01")),
            "updates.#.example",
            (3_600.0, 0.02),
        )
        .gets("/appcast.xml", Same(200, 3_127))
        .then(Writes("~/Library/Caches/#/appcast.xml"), 1)
        .while_awake(),
    ),
    (
        0.20,
        Pattern::new(
            "niche-telemetry",
            "reply-unhandled",
            OwnStack("/Applications/#.app/Contents/MacOS/#", Some("N1CH3T3L01")),
            "events.#.example",
            (600.0, 0.1),
        )
        .posts("/v1/batch", (600, 4_000), Same(204, 0))
        .while_awake(),
    ),
    // What one person wrote for themselves, alone in the fleet: nothing but its owner tells it from a script that somebody else put
    // there.
    (
        0.02,
        Pattern::new(
            "home-made-once",
            "pull-only",
            Script(PYTHON, "~/src/#/sync.py"),
            "api.github.com",
            (1_800.0, 0.01),
        )
        .gets("/repos/org/#/issues", Varied(200, 2_000, 9_000))
        .then(Writes("~/src/#/issues.json"), 1)
        .while_awake(),
    ),
    (
        0.02,
        Pattern::new(
            "home-made-hook",
            "reply-unhandled",
            Curl("~/bin/#.sh", "-s -o /dev/null -X POST -d @-"),
            "hooks.slack.com",
            (3_600.0, 0.001),
        )
        .posts("/services/T01/B07/x#", (90, 140), Same(200, 2)),
    ),
];
