//! The ordinary life of a Mac: daemons, updates, a browser.

use crate::{
    Moment,
    answers::Answer,
    clock::{MILLISECOND, SECOND, seconds},
    implants::USER,
    links::{Source, Trace},
    mac::Process,
    names,
    network::Service,
    programs::{Program, Signature},
    requests::Ask,
    stage::{Claim, Stage},
    unified_log::Voice,
    zeek::Flow,
};

/// A connection made without a URL session, in seconds and bytes of payload without handshake.
pub(crate) struct Socket {
    pub(crate) time: Moment,
    pub(crate) lasts: f64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Stage<'_> {
    /// Lives the day; `index` decides which agents run here.
    pub(crate) fn ordinary_life(&mut self, index: usize, has_time: bool) {
        self.daemons();
        if !self.mac.sensors.dropped.is_empty() {
            self.busy_indexer();
        }
        self.cloud();
        self.mail();
        self.certificate_checks();
        self.captive_checks();
        self.background_downloads();
        self.updates();
        if index.is_multiple_of(2) {
            self.hourly_agent();
        }
        if matches!(index, 12 | 13 | 16 | 17) {
            self.five_minute_agent();
        }
        if matches!(index, 4 | 11 | 17) {
            self.quarter_hour_agent();
        }
        self.browser();
        self.time_of_day(has_time);
    }

    /// Connects without a URL session: only the resolver and the network see it. Gives when it was open and closed.
    pub(crate) fn socket(&mut self, process: &Process, service: &Service, socket: &Socket) -> (Moment, Moment) {
        self.mac.log_name_request(socket.time, process, service);
        let lookup = self.network.resolve(&mut self.mac, socket.time, service, &mut self.chance);
        let round_trip = service.constant(9_000, 60_000, "round trip") as i64 * 1000;
        let opened = socket.time + MILLISECOND + lookup;
        let (client, server) = service.handshake(self.network.resumes);
        let flow = Flow {
            start: opened,
            end: opened + 3 * round_trip + seconds(socket.lasts),
            local_port: self.mac.port(&mut self.chance),
            address: service.address,
            port: service.port,
            protocol: "tcp",
            service: "ssl",
            sent: socket.sent + client,
            received: Some(socket.received + server),
            state: "SF",
            history: "ShADadFf",
            missed: 0,
        };
        let mut trace = Trace::new(&self.mac.name, process, service);
        self.network.trace(&self.mac, &flow, service, &mut trace);
        let flow = self.network.through_proxy(&self.mac, flow, &service.name, &mut trace);
        trace.note(Source::ZeekConn, self.network.connection(&self.mac, &flow));
        trace.note(Source::ZeekSsl, self.network.tls(&self.mac, &flow, &service.name, 3 * round_trip / 2, None));
        self.network.traces.push(trace);
        (opened, flow.end)
    }

    /// What the daemons of macOS do to files and processes, in the first minutes and in every hour.
    pub(crate) fn daemons(&mut self) {
        let preferences = self.mac.already_running(Program::platform("/usr/sbin/cfprefsd", "com.apple.cfprefsd"), USER);
        let cleaner = self.mac.already_running(Program::platform("/usr/libexec/dirhelper", "com.apple.dirhelper"), 0);
        let finder = self.mac.already_running(
            Program::platform("/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder", "com.apple.finder"),
            USER,
        );
        let first = self.start + 20 * SECOND;
        let mut moments = self.moments(first, 3_100.0, 0.12, 30.0);
        // Recording goes on until the end, and shows it.
        let last = self.end - 40 * SECOND;
        if last > first && self.mac.is_awake(last, self.end) {
            moments.push(last);
        }
        for (round, moment) in moments.iter().enumerate() {
            let moment = *moment;
            let user = self.mac.user.clone();
            let domain = match round % 3 {
                0 => "com.apple.finder",
                1 => "com.apple.dock",
                _ => "NSGlobalDomain",
            };
            let target = format!("/Users/{user}/Library/Preferences/{domain}.plist");
            let draft = format!("{target}.{}", names::letters(7, &[&self.mac.name, &round.to_string()]));
            self.mac.write_new(moment, &preferences, &draft);
            self.mac.rename(moment + 4 * MILLISECOND, &preferences, &draft, &target);
            self.indexer(moment + 3 * SECOND, round);
            let old = format!("/private/var/folders/zz/T/{}", names::letters(9, &["old", &self.mac.name, &draft]));
            self.mac.unlink(moment + 9 * SECOND, &cleaner, &old);
            self.mac.connect_service(moment + 11 * SECOND, &finder, "com.apple.iconservices");
            let system = self.mac.already_running(Program::platform("/usr/libexec/smd", "com.apple.xpc.smd"), 0);
            let part = if round % 2 == 0 { "agent" } else { "updater" };
            let plist = format!("/Library/LaunchDaemons/com.harborline.{part}.plist");
            self.mac.add_launch_item(moment + 13 * SECOND, &system, &plist, "/Library/Harborline/harborlined", 0);
        }
    }

    /// A host so busy that its endpoint recording cannot keep up.
    fn busy_indexer(&mut self) {
        let moments = self.moments(self.start + 200 * SECOND, 700.0, 0.3, 30.0);
        for (round, moment) in moments.iter().enumerate() {
            self.indexer(*moment, round);
        }
    }

    /// A worker of Spotlight reads a file and goes.
    fn indexer(&mut self, time: Moment, round: usize) {
        let program = Program::platform(
            "/System/Library/Frameworks/CoreServices.framework/Frameworks/Metadata.framework/Versions/A/Support/mdworker_shared",
            "com.apple.mdworker_shared",
        );
        let label = format!("com.apple.mdworker.shared.0{}000000-0000-0000-0000-000000000000", round % 8);
        let path = program.path.clone();
        let worker = self.mac.launch(time, &label, program, &[&path, "-s", "mdworker"], USER, &mut self.chance);
        let document = format!("/Users/{}/Documents/notes {round}.txt", self.mac.user);
        self.mac.close(time + 40 * MILLISECOND, &worker, &document, false);
        self.mac.exit(time + 5 * SECOND, &worker, 0);
    }

    /// iCloud: sizes vary, and what comes is stored.
    pub(crate) fn cloud(&mut self) {
        let program = Program::platform(
            "/System/Library/PrivateFrameworks/CloudKitDaemon.framework/Support/cloudd",
            "com.apple.cloudd",
        );
        let mut daemon = self.mac.already_running(program, USER);
        let service = self.network.service("gateway.icloud.com");
        let first = self.within(0.02, 0.4);
        let moments = self.moments(first, 5_400.0, 0.7, 10.0);
        let store = format!("/Users/{}/Library/Caches/CloudKit/CloudKitMetadata-wal", self.mac.user);
        for moment in &moments {
            let (body, reply) = (self.chance.whole(300, 5_000), self.chance.whole(400, 30_000));
            let course = self.request(&mut daemon, &service, Ask::post(body, Answer::Delivered(200, reply)), *moment);
            self.mac.close(course.finished + 8 * MILLISECOND, &daemon, &store, true);
        }
        self.tell(&Claim::benign("cloud-sync", "any"), &daemon, &service, moments.len());
    }

    /// Mail speaks its own protocol, and stores what comes.
    pub(crate) fn mail(&mut self) {
        let program = Program::platform("/System/Applications/Mail.app/Contents/MacOS/Mail", "com.apple.mail");
        let mail = self.mac.already_running(program, USER);
        let service = self.network.service_at("imap.northmail.example", 993);
        let first = self.within(0.01, 0.2);
        let moments = self.moments(first, 1_100.0, 0.5, 60.0);
        for moment in &moments {
            let socket = Socket {
                time: *moment,
                lasts: self.chance.between(0.5, 40.0),
                sent: self.chance.whole(200, 900),
                received: self.chance.whole(300, 60_000),
            };
            let (_, closed) = self.socket(&mail, &service, &socket);
            if self.chance.happens(0.2) {
                let path = format!("/Users/{}/Library/Mail/V10/MailData/Envelope Index-wal", self.mac.user);
                self.mac.close(closed - 50 * MILLISECOND, &mail, &path, true);
            }
        }
        self.tell(&Claim::benign("mail", "any"), &mail, &service, moments.len());
    }

    /// Revocation checks over plain HTTP.
    pub(crate) fn certificate_checks(&mut self) {
        let mut daemon = self.mac.already_running(Program::platform("/usr/libexec/trustd", "com.apple.trustd"), 282);
        let service = self.network.service_at("ocsp2.apple.com", 80);
        let first = self.within(0.1, 2.0);
        let moments = self.moments(first, 13_000.0, 0.6, 10.0);
        for moment in &moments {
            let reply = self.chance.whole(1_300, 1_900);
            let ask = Ask::get(Answer::Delivered(200, reply)).at("/ocsp03-apsecc12g101/ME4wTKADAgEA");
            let course = self.request(&mut daemon, &service, ask, *moment);
            let path = "/private/var/protected/trustd/private/ocspcache.sqlite3-wal";
            self.mac.close(course.finished + 6 * MILLISECOND, &daemon, path, true);
        }
        self.tell(&Claim::benign("certificate-checks", "any"), &daemon, &service, moments.len());
    }

    /// Whether there is a portal in the way.
    fn captive_checks(&mut self) {
        let program = Program::platform("/usr/libexec/captiveagent", "com.apple.captiveagent");
        let mut agent = self.mac.already_running(program, 24);
        let service = self.network.service_at("captive.apple.com", 80);
        let first = self.within(0.005, 0.05);
        let mut moments = self.moments(first, 30_000.0, 0.4, 10.0);
        moments.extend(self.mac.sleeps.iter().map(|(_, awake)| awake + 3 * SECOND));
        for moment in &moments {
            let ask = Ask::get(Answer::Delivered(200, 69)).at("/hotspot-detect.html");
            self.request(&mut agent, &service, ask, *moment);
        }
        self.tell(&Claim::benign("captive-checks", "any"), &agent, &service, moments.len());
    }

    /// Downloads that `nsurlsessiond` makes for an application.
    pub(crate) fn background_downloads(&mut self) {
        let program = Program::platform("/usr/libexec/nsurlsessiond", "com.apple.nsurlsessiond");
        let mut daemon = self.mac.already_running(program, USER);
        let service = self.network.service("media.slowreader.example");
        let first = self.within(0.5, 3.0);
        let moments = self.moments(first, 19_000.0, 0.4, 30.0);
        for moment in &moments {
            let size = self.chance.whole(60_000, 900_000);
            let course = self.request(&mut daemon, &service, Ask::get(Answer::Delivered(200, size)), *moment);
            let task = &course.task;
            let owner = "<example.slowreader.reader>.<example.slowreader.reader.downloads>";
            let is_for = self.mac.log(
                *moment - MILLISECOND,
                &daemon,
                Voice::Background,
                "%{public}@ is for <%{public}@>.<%{public}@>.<%lu>",
                format!("{task} is for {owner}.<{}>", daemon.tasks),
            );
            let path = format!("/Users/{}/Library/Caches/com.apple.nsurlsessiond/Downloads/{size}.tmp", self.mac.user);
            self.mac.write_new(course.finished - MILLISECOND, &daemon, &path);
            let acknowledged = self.mac.log(
                course.finished + 90 * MILLISECOND,
                &daemon,
                Voice::Background,
                "%{public}@ client acknowledged completion",
                format!("{task} client acknowledged completion"),
            );
            if let Some(trace) = self.network.traces.last_mut() {
                trace.note(Source::UnifiedLogTask, is_for);
                trace.note(Source::UnifiedLogTask, acknowledged);
            }
        }
        self.tell(&Claim::benign("background-downloads", "any"), &daemon, &service, moments.len());
    }

    /// A browser with a network stack of its own: bursts of connections while somebody sits there.
    fn browser(&mut self) {
        let program = Program::new(
            "/Applications/Lantern.app/Contents/MacOS/Lantern",
            "example.lantern.browser",
            Signature::Team("LANT3RN001".to_owned()),
        );
        let time = self.start + 95 * SECOND;
        let path = program.path.clone();
        let label = "application.example.lantern.browser.2001.2002";
        let browser = self.mac.launch(time, label, program, &[&path], USER, &mut self.chance);
        let mut burst = self.within(0.05, 2.5);
        let last = self.start + seconds(3600.0 * 12.0).min(self.end - self.start);
        while burst < last {
            if self.mac.is_awake(burst, burst + 400 * SECOND) && burst + 400 * SECOND < self.end {
                self.browse(&browser, burst);
            }
            burst += seconds(self.chance.between(600.0, 3_300.0));
        }
    }

    fn browse(&mut self, browser: &Process, burst: Moment) {
        let mut time = burst;
        for _ in 0..self.chance.whole(4, 12) {
            // A few sites are visited by all, most by hardly anybody.
            let popular = self.chance.happens(0.55);
            let name = if popular {
                format!("www.site-{}.example", self.chance.whole(1, 12))
            } else {
                format!("cdn{}.page-{}.example", self.chance.whole(1, 3), self.chance.whole(1, 220))
            };
            let service = self.network.service(&name);
            let scale = self.chance.between(0.0, 1.0).powi(4);
            let socket = Socket {
                time,
                lasts: self.chance.between(0.2, 120.0),
                sent: self.chance.whole(300, 3_500),
                received: self.chance.whole(400, 9_000) + (scale * 600_000.0) as u64,
            };
            let (opened, _) = self.socket(browser, &service, &socket);
            if self.chance.happens(0.25) {
                let identity = format!("{}{time}", self.mac.name);
                let path =
                    format!("/Users/{}/Library/Caches/Lantern/{}", self.mac.user, names::letters(16, &[&identity]));
                self.mac.write_new(opened + 400 * MILLISECOND, browser, &path);
            }
            time += seconds(self.chance.between(0.05, 9.0));
        }
    }

    /// The time of day: answered, or on one host never.
    pub(crate) fn time_of_day(&mut self, has_time: bool) {
        let daemon = self.mac.already_running(Program::platform("/usr/libexec/timed", "com.apple.timed"), 266);
        let service = self.network.service_at("time.apple.com", 123);
        let first = self.within(0.003, 0.02);
        let moments =
            if has_time { self.moments(first, 1_700.0, 0.2, 5.0) } else { self.moments(first, 32.3, 0.006, 5.0) };
        let mut asked: Option<Moment> = None;
        for moment in &moments {
            if asked.is_none_or(|asked| *moment - asked >= 3600 * SECOND) {
                self.mac.log_name_request(*moment, &daemon, &service);
                asked = Some(*moment);
            }
            let lookup = self.network.resolve(&mut self.mac, *moment, &service, &mut self.chance);
            let start = moment + lookup + MILLISECOND;
            let flow = Flow {
                start,
                end: if has_time { start + seconds(self.chance.between(0.01, 0.05)) } else { start },
                local_port: self.mac.port(&mut self.chance),
                address: service.address,
                port: 123,
                protocol: "udp",
                service: "ntp",
                sent: 48,
                received: has_time.then_some(48),
                state: if has_time { "SF" } else { "S0" },
                history: if has_time { "Dd" } else { "D" },
                missed: 0,
            };
            let mut trace = Trace::new(&self.mac.name, &daemon, &service);
            self.network.trace(&self.mac, &flow, &service, &mut trace);
            trace.note(Source::ZeekConn, self.network.connection(&self.mac, &flow));
            self.network.traces.push(trace);
        }
        let claim = if has_time { Claim::benign("time", "any") } else { Claim::benign("time-unanswered", "no-reply") };
        self.tell(&claim, &daemon, &service, moments.len());
    }
}
