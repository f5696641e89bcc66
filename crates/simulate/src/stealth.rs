//! Attacks with a beginning and an end: one post and gone, a script that pulls, an implant that obeys.

use crate::{
    Moment,
    answers::Answer,
    clock::{MILLISECOND, SECOND, seconds},
    implants::{Role, USER},
    mac::Process,
    names,
    ordinary::Socket,
    programs::{self, Program, Signature},
    requests::Ask,
    stage::Stage,
};

impl Stage<'_> {
    /// An application that its vendor signed starts a helper that deletes itself, posts once and is gone.
    pub(crate) fn one_shot_post(&mut self, role: &Role) {
        let home = format!("/Users/{}", self.mac.user);
        let (vendor, helper) = (role.vendor, "UpdateAgent");
        let app = Program::new(
            &format!("/Applications/{vendor}.app/Contents/MacOS/{vendor}"),
            &format!("example.{}.desktop", vendor.to_lowercase()),
            Signature::Team("V0IC3TR33A".to_owned()),
        );
        let time = self.within(3.0, 5.0);
        if time + 120 * SECOND > self.end {
            return;
        }
        let label = format!("application.example.{}.desktop.3001.3002", vendor.to_lowercase());
        let path = app.path.clone();
        let parent = self.mac.launch(time, &label, app, &[&path], USER, &mut self.chance);
        let path = format!("{home}/Library/Application Support/{vendor}/{helper}");
        let command = format!("'{path}' >/dev/null 2>&1");
        let time = time + 40 * SECOND;
        let mut shell = self.mac.fork(time, &parent, &mut self.chance);
        self.mac.exec(time + MILLISECOND, &mut shell, programs::shell(), &["sh", "-c", &command], &label);
        let mut agent = self.mac.fork(time + 4 * MILLISECOND, &shell, &mut self.chance);
        let program = Program::new(&path, "UpdateAgent-9b1e44c7", Signature::AdHoc);
        self.mac.exec(time + 5 * MILLISECOND, &mut agent, program, &[&path], &label);
        self.mac.unlink(time + 60 * MILLISECOND, &agent, &path);
        let service = self.network.service(role.domain);
        let course =
            self.request(&mut agent, &service, Ask::post(110, Answer::Delivered(200, 42)), time + 90 * MILLISECOND);
        self.mac.exit(course.closed + 120 * MILLISECOND, &agent, 0);
        self.mac.exit(course.closed + 123 * MILLISECOND, &shell, 0);
        self.tell(&role.claim(None), &agent, &service, 1);
    }

    /// A script of a launch agent fetches a file every hour and turns it into another.
    pub(crate) fn hourly_pull(&mut self, role: &Role) {
        let home = format!("/Users/{}", self.mac.user);
        let vendor = role.vendor;
        let label = format!("init_{vendor}");
        let script = format!("{home}/Library/Application Support/{vendor}_updater/{vendor}.sh");
        let installer = self.mac.already_running(
            Program::platform(
                "/System/Library/CoreServices/Installer.app/Contents/MacOS/Installer",
                "com.apple.installer",
            ),
            USER,
        );
        let installed = self.within(0.3, 0.6);
        if installed + 60 * SECOND > self.end {
            return;
        }
        let plist = format!("{home}/Library/LaunchAgents/{label}.plist");
        self.mac.write_new(installed - 200 * MILLISECOND, &installer, &script);
        self.mac.write_new(installed - 100 * MILLISECOND, &installer, &plist);
        self.mac.add_launch_item(installed, &installer, &plist, "/bin/sh", USER);
        let service = self.network.service(role.domain);
        let moments = self.moments(installed + 30 * SECOND, 3_600.0, 0.0004, 20.0);
        let mut asked = None;
        for moment in &moments {
            asked = Some(self.pull(&label, &script, role.domain, *moment));
        }
        if let Some(curl) = asked {
            self.tell(&role.claim(Some(&script)), &curl, &service, moments.len());
        }
    }

    /// One run of the script; gives the process that asked.
    fn pull(&mut self, label: &str, script: &str, domain: &str, time: Moment) -> Process {
        let service = self.network.service(domain);
        let arguments = ["/bin/sh", script];
        let shell = self.mac.launch(time, label, programs::shell(), &arguments, USER, &mut self.chance);
        let mut curl = self.mac.fork(time + 30 * MILLISECOND, &shell, &mut self.chance);
        let url = format!("https://{domain}/version.json");
        let program = Program::platform("/usr/bin/curl", "com.apple.curl");
        let arguments = ["/usr/bin/curl", "-s", url.as_str(), "-o", "/tmp/version.json"];
        self.mac.exec(time + 31 * MILLISECOND, &mut curl, program, &arguments, label);
        let socket = Socket {
            time: time + 50 * MILLISECOND,
            lasts: self.chance.between(0.05, 0.3),
            sent: service.constant(110, 150, "pull"),
            received: self.chance.whole(540, 700),
        };
        let (_, closed) = self.socket(&curl, &service, &socket);
        if let Some(trace) = self.network.traces.last_mut() {
            trace.agent = Some(script.to_owned());
        }
        self.mac.create(closed - 25 * MILLISECOND, &curl, "/private/tmp/version.json");
        self.mac.close(closed - 5 * MILLISECOND, &curl, "/private/tmp/version.json", true);
        self.mac.exit(closed + 8 * MILLISECOND, &curl, 0);
        let mut converter = self.mac.fork(closed + 12 * MILLISECOND, &shell, &mut self.chance);
        let program = Program::platform("/usr/bin/plutil", "com.apple.plutil");
        let arguments = ["/usr/bin/plutil", "-convert", "xml1", "-r", "/tmp/version.json", "-o", "/tmp/version.plist"];
        self.mac.exec(closed + 13 * MILLISECOND, &mut converter, program, &arguments, label);
        self.mac.write_new(closed + 20 * MILLISECOND, &converter, "/private/tmp/version.plist");
        self.mac.exit(closed + 26 * MILLISECOND, &converter, 0);
        self.mac.exit(closed + 31 * MILLISECOND, &shell, 0);
        curl
    }

    /// An implant that asks every minute, sometimes is told to do something, does it and reports.
    pub(crate) fn two_way_implant(&mut self, role: &Role) {
        let path = format!("/Users/{}/Library/{1}/{1}", self.mac.user, role.vendor);
        let program = Program::new(&path, &format!("{}-5f3a", role.vendor), Signature::AdHoc);
        let label = format!("com.{}.agent", role.vendor);
        let time = self.start + 1_000 * SECOND;
        let mut implant = self.mac.launch(time, &label, program, &[&path], USER, &mut self.chance);
        let service = self.network.service(role.domain);
        let moments = self.moments(time + 3 * SECOND, 60.0, 0.2, 30.0);
        let moments: Vec<_> = moments.into_iter().take(90).collect();
        let mut exchanges = moments.len();
        for (round, moment) in moments.iter().enumerate() {
            // An order about every quarter of an hour, eight in all.
            let is_order = round % 13 == 7;
            let reply = if is_order { self.chance.whole(700, 2_400) } else { 48 };
            let course = self.request(&mut implant, &service, Ask::get(Answer::Delivered(200, reply)), *moment);
            if is_order {
                let done = self.obey(&implant, &label, course.closed + 200 * MILLISECOND);
                let report = self.chance.whole(400, 6_000);
                self.request(
                    &mut implant,
                    &service,
                    Ask::post(report, Answer::Delivered(200, 48)),
                    done + seconds(0.4),
                );
                exchanges += 1;
            }
        }
        self.tell(&role.claim(None), &implant, &service, exchanges);
    }

    /// Runs a command and gives when it was done.
    fn obey(&mut self, implant: &Process, label: &str, time: Moment) -> Moment {
        let mut shell = self.mac.fork(time, implant, &mut self.chance);
        let arguments = ["/bin/sh", "-c", "whoami; ls"];
        self.mac.exec(time + MILLISECOND, &mut shell, programs::shell(), &arguments, label);
        let output = format!("/private/tmp/{}", names::letters(8, &["output", &self.mac.name, &time.to_string()]));
        self.mac.write_new(time + 30 * MILLISECOND, &shell, &output);
        let done = time + seconds(self.chance.between(0.1, 1.5));
        self.mac.exit(done, &shell, 0);
        done
    }
}
