//! The samples of the format: written by this file, so that what stands in them can be read here.

use super::build::*;

const CLIENT: &str = "10.20.0.11";

fn client(port: u16) -> String {
    format!("{CLIENT}:{port}")
}

/// One flow of each kind.
pub(crate) fn plain() -> Vec<u8> {
    let mut file = Pcap::new(1);
    // Asked and answered: 84 - 10 bytes of head each way are counted by the test, not here.
    let resolver = "10.20.0.1:53".parse().unwrap();
    let asker = client(40_001).parse().unwrap();
    file.ethernet(&[udp(asker, resolver, &dns(7, "files.example", None))]);
    file.ethernet(&[udp(resolver, asker, &dns(7, "files.example", Some([203, 0, 113, 80])))]);
    // Two requests on one connection: a body of five bytes in chunks, then no content.
    let mut web = Talk::new(&client(50_001), "203.0.113.80:80");
    file.ethernet(&web.open());
    file.ethernet(
        &web.ask(b"GET /config?token=abcdefgh12345678 HTTP/1.1\r\nHost: Files.example\r\nUser-Agent: agent/1\r\n\r\n"),
    );
    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    // In two segments that come in the wrong order, and the first of them twice.
    let first = web.down(ACK, &response[..20]);
    let second = web.down(PSH | ACK, &response[20..]);
    file.ethernet(&[second, first.clone(), first, web.up(ACK, &[])]);
    file.ethernet(&web.ask(b"POST /report HTTP/1.1\r\nHost: files.example\r\nContent-Length: 4\r\n\r\nping"));
    file.ethernet(&web.answer(b"HTTP/1.1 204 No Content\r\n\r\n"));
    file.ethernet(&web.close());
    // TLS, established, over IPv6.
    let mut tls = Talk::new("[2001:db8::11]:50002", "[2001:db8:1::5]:443");
    file.ethernet(&tls.open());
    let hello = client_hello("api.example");
    file.ethernet(&[tls.up(ACK, &hello[..50]), tls.up(PSH | ACK, &hello[50..])]);
    file.ethernet(&tls.answer(&[server_hello(true), record(20, &[1]), record(23, &[1; 40])].concat()));
    file.ethernet(&tls.ask(&[record(20, &[1]), record(23, &[2; 60])].concat()));
    file.ethernet(&tls.answer(&record(23, &[3; 90])));
    file.ethernet(&tls.close());
    // The client does not trust the server, and says so in clear.
    let mut refused = Talk::new(&client(50_003), "203.0.113.81:443");
    file.ethernet(&refused.open());
    file.ethernet(&refused.ask(&client_hello("bad.example")));
    file.ethernet(&refused.answer(&server_hello(false)));
    file.ethernet(&refused.ask(&record(21, &[2, 48])));
    file.ethernet(&refused.close());
    // Asked, acknowledged, and never answered.
    let mut silent = Talk::new(&client(50_004), "203.0.113.82:8080");
    file.ethernet(&silent.open());
    file.ethernet(&silent.ask(b"\x01hello"));
    file.ethernet(&silent.close());
    // Refused by a reset; and an attempt that the kernel repeats.
    let mut closed = Talk::new(&client(50_005), "203.0.113.83:4444");
    file.ethernet(&[closed.up(SYN, &[]), closed.down(RST | ACK, &[])]);
    let attempt = Talk::new(&client(50_006), "203.0.113.84:4444").up(SYN, &[]);
    file.ethernet(&[attempt.clone(), attempt.clone(), attempt]);
    // A piece of a connection that began before the capture.
    let mut piece = Talk::new(&client(50_007), "203.0.113.85:8883");
    file.ethernet(&piece.ask(&[0xc0, 0]));
    file.ethernet(&piece.answer(&[0xd0, 0]));
    // The capture missed the answer, but not its acknowledgement.
    let mut gap = Talk::new(&client(50_008), "203.0.113.86:9000");
    file.ethernet(&gap.open());
    file.ethernet(&gap.ask(b"\x01ask"));
    gap.down(PSH | ACK, b"missed");
    file.ethernet(&[gap.up(ACK, &[])]);
    file.ethernet(&gap.close());
    // Only one side of a connection was captured.
    let mut half = Talk::new(&client(50_009), "203.0.113.87:9000");
    for packet in [half.up(SYN, &[]), half.up(ACK, &[]), half.up(PSH | ACK, b"\x01ask"), half.up(FIN | ACK, &[])] {
        file.ethernet(&[packet]);
    }
    // Time, asked and not answered; then what is no exchange at all: ARP, and a frame of 802.3.
    file.ethernet(&[udp(client(123).parse().unwrap(), "203.0.113.99:123".parse().unwrap(), &[0x23; 48])]);
    file.frame(&[&[0xff; 12][..], &[0x08, 0x06], &[0; 46]].concat());
    file.frame(&[&[0xff; 12][..], &[0x00, 0x26], &[0; 46]].concat());
    // Two minutes later, so that silence is silence; this one is still open when the capture ends.
    file.wait(120);
    let mut open = Talk::new(&client(50_010), "203.0.113.88:9000");
    file.ethernet(&open.open());
    file.ethernet(&open.ask(b"\x01ask"));
    file.bytes
}

/// Packets cut to 68 bytes, one of them within its header; and the file itself is cut.
pub(crate) fn cut() -> Vec<u8> {
    let mut file = Pcap::new(1);
    file.snaplen = 68;
    let mut web = Talk::new(&client(50_001), "203.0.113.80:80");
    file.ethernet(&web.open());
    file.ethernet(&web.ask(b"GET / HTTP/1.1\r\nHost: files.example\r\nUser-Agent: agent/1\r\n\r\n"));
    file.ethernet(&web.answer(&[b'x'; 900]));
    file.ethernet(&web.close());
    file.snaplen = 40;
    file.ethernet(&[Talk::new(&client(50_002), "203.0.113.80:80").up(SYN, &[])]);
    file.snaplen = 68;
    file.ethernet(&[Talk::new(&client(50_003), "203.0.113.80:80").up(SYN, &[])]);
    file.bytes.truncate(file.bytes.len() - 5);
    file.bytes
}

pub(crate) const APP: [u8; 16] = [0xa1; 16];
pub(crate) const DAEMON: [u8; 16] = [0xd2; 16];

/// Apple's process blocks: an application of its own, `nsurlsessiond` for another, the resolver for a third, a server on
/// this Mac, and traffic of nobody.
pub(crate) fn apple() -> Vec<u8> {
    let mut file = Sections::new();
    file.interface(1, &[option(2, b"en0"), option(9, &[6])]);
    file.process(501, b"Beacon", Some(APP));
    file.process(88, b"nsurlsessiond\0", Some(DAEMON));
    file.process(700, b"Photos Uploader ", None);
    file.process(212, b"mDNSResponder", None);
    let both = |file: &mut Sections, packets: Vec<Vec<u8>>, owner, effective| {
        for packet in packets {
            let out = packet[12] == 10;
            file.packet(&ethernet(&packet), &marks(out, owner, effective));
        }
    };
    let mut own = Talk::new(&client(50_001), "203.0.113.80:8080");
    let packets = [own.open(), own.ask(b"\x01ask"), own.close()].concat();
    both(&mut file, packets, Some(0), None);
    // Only some packets name the one it acts for.
    let mut other = Talk::new(&client(50_002), "203.0.113.81:8080");
    both(&mut file, other.open(), Some(1), None);
    both(&mut file, [other.ask(b"\x01ask"), other.answer(b"\x01answer")].concat(), Some(1), Some(2));
    both(&mut file, other.close(), Some(1), None);
    let resolver = "10.20.0.1:53".parse().unwrap();
    let asker = client(40_001).parse().unwrap();
    let question = udp(asker, resolver, &dns(9, "files.example", None));
    file.packet(&ethernet(&question), &marks(true, Some(3), Some(0)));
    let answer = udp(resolver, asker, &dns(9, "files.example", Some([203, 0, 113, 80])));
    file.packet(&ethernet(&answer), &marks(false, Some(3), Some(0)));
    // Begun by another machine: the process here is the server, and this is no exchange of ours.
    let mut served = Talk::new("10.20.0.99:61000", &client(5000));
    for packet in served.open() {
        let out = packet[15] == 11;
        file.packet(&ethernet(&packet), &marks(out, Some(0), None));
    }
    let mut nobody = Talk::new(&client(50_003), "203.0.113.82:8080");
    both(&mut file, [nobody.open(), nobody.close()].concat(), None, None);
    // Statistics at the end: three packets dropped by the system.
    let mut statistics = 0_u32.to_le_bytes().to_vec();
    statistics.extend(((file.now_us >> 32) as u32).to_le_bytes());
    statistics.extend((file.now_us as u32).to_le_bytes());
    statistics.extend(option(4, &60_u64.to_le_bytes()));
    statistics.extend(option(7, &3_u64.to_le_bytes()));
    file.block(5, &statistics);
    file.bytes
}

/// Six connections of one program, a minute apart: each sends something, and nothing comes back.
pub(crate) fn silent() -> Vec<u8> {
    let mut file = Sections::new();
    file.interface(1, &[option(2, b"en0")]);
    file.process(501, b"Beacon", Some(APP));
    for number in 0..6 {
        let mut talk = Talk::new(&client(50_001 + number), "203.0.113.80:8080");
        for packet in [talk.open(), talk.ask(b"\x01hello"), talk.close()].concat() {
            file.packet(&ethernet(&packet), &marks(packet[12] == 10, Some(0), None));
        }
        file.now_us += 60_000_000;
    }
    // Other traffic, so that the capture goes on after the last of them.
    let other = udp(client(123).parse().unwrap(), "203.0.113.99:123".parse().unwrap(), &[0x23; 48]);
    file.packet(&ethernet(&other), &marks(true, None, None));
    file.bytes
}

/// pktap headers of both versions, as savefiles of macOS number them (149) and as libpcap does (258).
pub(crate) fn pktap(link: u32) -> Vec<u8> {
    let mut file = Pcap::new(link);
    let mut talk = Talk::new(&client(50_001), "203.0.113.80:8080");
    for packet in [talk.up(SYN, &[]), talk.up(ACK, &[]), talk.up(PSH | ACK, b"\x01ask")] {
        let frame = ethernet(&packet);
        if link == 149 {
            file.frame(&pktap_1(1, (88, "nsurlsessiond"), (501, "Beacon"), DAEMON, &frame));
        } else {
            file.frame(&pktap_2(1, (501, "Beacon"), APP, &frame));
        }
    }
    file.bytes
}

/// Every sample by its name.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("apple-capture/apple.pcapng", apple()),
        ("packet-capture/cut.pcap", cut()),
        ("apple-capture/silent.pcapng", silent()),
        ("apple-capture/pktap-1.pcap", pktap(149)),
        ("apple-capture/pktap-2.pcap", pktap(258)),
        ("packet-capture/plain.pcap", plain()),
    ]
}
