//! Programs of vendors that ask at regular times, and do something with what comes back.

use crate::{
    answers::Answer,
    clock::{MILLISECOND, SECOND},
    implants::USER,
    programs::{Program, Signature},
    requests::Ask,
    stage::{Claim, Stage},
};

impl Stage<'_> {
    /// An application asks once a day whether there is a newer one.
    pub(crate) fn updates(&mut self) {
        let program = Program::new(
            "/Applications/Pinboard.app/Contents/MacOS/Pinboard",
            "example.pinboard.mac",
            Signature::Team("P1NB04RD77".to_owned()),
        );
        let time = self.within(0.1, 0.9);
        if !self.mac.is_awake(time, time + 60 * SECOND) {
            return;
        }
        let path = program.path.clone();
        let label = "application.example.pinboard.mac.1001.1002";
        let mut app = self.mac.launch(time, label, program, &[&path], USER, &mut self.chance);
        let service = self.network.service("appcast.pinboard.example");
        let course = self.request(&mut app, &service, Ask::get(Answer::Delivered(200, 8_412)), time + 9 * SECOND);
        let path = format!("/Users/{}/Library/Caches/example.pinboard.mac/appcast.xml", self.mac.user);
        self.mac.write_new(course.finished + 5 * MILLISECOND, &app, &path);
        self.tell(&Claim::benign("daily-appcast", "any"), &app, &service, 1);
    }

    /// An agent that sends metrics every five minutes, and forgets what was taken.
    pub(crate) fn five_minute_agent(&mut self) {
        let path = "/Library/Harborline/harborlined";
        let program = Program::new(path, "example.harborline.agent", Signature::Team("HRB0RL1N39".to_owned()));
        let time = self.start + 33 * SECOND;
        let mut agent = self.mac.launch(time, "com.harborline.agent", program, &[path], 0, &mut self.chance);
        let service = self.network.service("ingest.harborline.example");
        let moments = self.moments(time + 5 * SECOND, 300.0, 0.0005, 10.0);
        let moments: Vec<_> = moments.into_iter().take(72).collect();
        for (round, moment) in moments.iter().enumerate() {
            let spool = format!("/Library/Harborline/spool/{round:05}.json");
            let body = self.chance.whole(380, 950);
            let has_spool = round % 3 == 0;
            if has_spool {
                self.mac.write_new(*moment - 30 * MILLISECOND, &agent, &spool);
            }
            let course = self.request(&mut agent, &service, Ask::post(body, Answer::Delivered(204, 0)), *moment);
            if has_spool {
                self.mac.unlink(course.finished + 3 * MILLISECOND, &agent, &spool);
            }
        }
        self.tell(&Claim::benign("five-minute-agent", "any"), &agent, &service, moments.len());
    }

    /// An agent that reports every quarter of an hour and is told little.
    pub(crate) fn quarter_hour_agent(&mut self) {
        let path = "/Applications/Quillcheck.app/Contents/Library/LoginItems/QuillAgent.app/Contents/MacOS/QuillAgent";
        let program = Program::new(path, "example.quillcheck.agent", Signature::Team("QU1LLCH3CK".to_owned()));
        let time = self.start + 47 * SECOND;
        let mut agent = self.mac.launch(time, "example.quillcheck.agent", program, &[path], USER, &mut self.chance);
        let service = self.network.service("sync.quillcheck.example");
        let moments = self.moments(time + 8 * SECOND, 900.15, 0.0002, 10.0);
        for (round, moment) in moments.iter().enumerate() {
            let (body, reply) = (self.chance.whole(200, 420), self.chance.whole(18, 64));
            let course = self.request(&mut agent, &service, Ask::post(body, Answer::Delivered(200, reply)), *moment);
            if round % 4 == 1 {
                let path = format!("/Users/{}/Library/Application Support/Quillcheck/state.json", self.mac.user);
                self.mac.close(course.finished + 4 * MILLISECOND, &agent, &path, true);
            }
        }
        self.tell(&Claim::benign("quarter-hour-agent", "any"), &agent, &service, moments.len());
    }

    /// An agent that fetches its settings every hour and stores them.
    pub(crate) fn hourly_agent(&mut self) {
        let path = "/Library/Application Support/Fleetwell/fleetwelld";
        let program = Program::new(path, "example.fleetwell.daemon", Signature::Team("FL33TW3LL1".to_owned()));
        let time = self.start + 58 * SECOND;
        let mut agent = self.mac.launch(time, "example.fleetwell.daemon", program, &[path], 0, &mut self.chance);
        let service = self.network.service("config.fleetwell.example");
        let moments = self.moments(time + 20 * SECOND, 3_600.0, 0.001, 10.0);
        for moment in &moments {
            let reply = self.chance.whole(1_700, 2_600);
            let course = self.request(&mut agent, &service, Ask::get(Answer::Delivered(200, reply)), *moment);
            let path = "/Library/Application Support/Fleetwell/settings.json";
            self.mac.close(course.finished + 7 * MILLISECOND, &agent, path, true);
        }
        self.tell(&Claim::benign("hourly-agent", "any"), &agent, &service, moments.len());
    }
}
