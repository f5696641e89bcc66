//! Packets and their processes, as the layouts say.

use super::{
    frames::{Frame, Frames},
    processes::{Attribution, Direction},
};
use std::path::Path;

/// What a capture of the real data says of each packet. `None` where the data is not there.
fn attributions(file: &str) -> Option<Vec<Attribution>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/formats/pktap").join(file);
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: ../shared/data is not there");
        return None;
    };
    let mut frames = Frames::new(Box::new(bytes.as_slice()));
    let mut found = Vec::new();
    while let Some(frame) = frames.next_frame() {
        if let Frame::Packet(packet) = frame.unwrap() {
            found.push(packet.attribution);
        }
    }
    Some(found)
}

fn named(attribution: &Option<std::sync::Arc<monologue_model::ProcessImage>>) -> Option<(u32, &str)> {
    attribution.as_ref().map(|image| (image.key.pid.unwrap(), image.path.as_deref().unwrap()))
}

/// Counts as in `decoded-by-hand.txt` of the data set: options 0x8001 and 0x8003 of each packet.
#[test]
fn each_packet_of_the_real_captures_has_the_process_its_options_name() {
    let Some(packets) = attributions("radar-74957353.pcapng") else { return };
    assert_eq!(packets.len(), 197);
    assert_eq!(packets.iter().filter(|packet| packet.owner.is_none()).count(), 12, "the twelve that have none");
    assert_eq!(packets.iter().filter(|packet| packet.effective.is_some()).count(), 80);
    assert_eq!(named(&packets[0].owner), Some((1500, "network_test")));
    assert_eq!((packets[0].direction, packets[1].direction), (Direction::Out, Direction::In));
    assert_eq!(named(&packets[1].effective), Some((1500, "network_test")), "its own block, without the build");
    let build = packets[1].effective.as_ref().unwrap().code_uuid.as_deref();
    assert_eq!(build, Some("4491B4FAC7EC367C9F2F1395E91BE636"), "told by the other block of the same pid");

    let iperf = attributions("radar-101007576-iperf.pcapng").unwrap();
    let owners: Vec<_> = iperf.iter().filter_map(|packet| Some((packet.direction, named(&packet.owner)?.0))).collect();
    assert_eq!(owners.len(), 24);
    // Eleven datagrams and their arrival on the loopback interface, then the server's report the other way.
    let (sent, report) = owners.split_at(22);
    assert!(sent.iter().all(|owner| matches!(owner, (Direction::Out, 53245) | (Direction::In, 53147))), "{sent:?}");
    assert_eq!(report, [(Direction::Out, 53147), (Direction::In, 53245)]);
    assert_eq!(named(&iperf[0].owner), Some((53245, "iperf")), "cut to its length of 5, not to the padding");

    let mpeg = attributions("ndpi-mpeg.pcapng").unwrap();
    assert_eq!(mpeg.iter().filter(|packet| packet.owner.is_some()).count(), 10);
    assert!(mpeg.iter().filter_map(|packet| named(&packet.owner)).all(|owner| owner == (224, "acwebsecagent")));

    assert_eq!(
        attributions("radar-88502733.pcapng").unwrap().iter().filter(|packet| packet.owner.is_some()).count(),
        3
    );
    assert!(attributions("radar-63494669.pcapng").unwrap().iter().all(|packet| *packet == Attribution::default()));
}
