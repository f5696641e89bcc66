//! The mappings that are part of the program: one line each.

use super::Mapped;

pub(crate) static ZSCALER_WEB: Mapped = Mapped::shipped(include_str!("mappings/zscaler-web.toml"));
pub(crate) static UMBRELLA_PROXY: Mapped = Mapped::shipped(include_str!("mappings/umbrella-proxy.toml"));
pub(crate) static UMBRELLA_DNS: Mapped = Mapped::shipped(include_str!("mappings/umbrella-dns.toml"));
pub(crate) static UMBRELLA_DNS_JSON: Mapped = Mapped::shipped(include_str!("mappings/umbrella-dns-json.toml"));
pub(crate) static NETSKOPE_WEB: Mapped = Mapped::shipped(include_str!("mappings/netskope-web.toml"));
pub(crate) static CLOUDFLARE_GATEWAY: Mapped = Mapped::shipped(include_str!("mappings/cloudflare-gateway.toml"));
pub(crate) static BLUECOAT: Mapped = Mapped::shipped(include_str!("mappings/bluecoat.toml"));
pub(crate) static WEBGATEWAY: Mapped = Mapped::shipped(include_str!("mappings/webgateway.toml"));
pub(crate) static PAN_TRAFFIC: Mapped = Mapped::shipped(include_str!("mappings/pan-traffic.toml"));
pub(crate) static PAN_URL: Mapped = Mapped::shipped(include_str!("mappings/pan-url.toml"));
pub(crate) static FORTIGATE: Mapped = Mapped::shipped(include_str!("mappings/fortigate.toml"));
pub(crate) static CISCO_FTD: Mapped = Mapped::shipped(include_str!("mappings/cisco-ftd.toml"));
pub(crate) static CEF_WEB: Mapped = Mapped::shipped(include_str!("mappings/cef-web.toml"));
pub(crate) static CEF_FLOW: Mapped = Mapped::shipped(include_str!("mappings/cef-flow.toml"));
pub(crate) static LEEF_WEB: Mapped = Mapped::shipped(include_str!("mappings/leef-web.toml"));
pub(crate) static HAPROXY: Mapped = Mapped::shipped(include_str!("mappings/haproxy.toml"));
pub(crate) static ENVOY: Mapped = Mapped::shipped(include_str!("mappings/envoy.toml"));
pub(crate) static AWS_VPC_FLOW: Mapped = Mapped::shipped(include_str!("mappings/aws-vpc-flow.toml"));
pub(crate) static ROUTE53_RESOLVER: Mapped = Mapped::shipped(include_str!("mappings/route53-resolver.toml"));
pub(crate) static NFDUMP: Mapped = Mapped::shipped(include_str!("mappings/nfdump.toml"));
pub(crate) static BIND: Mapped = Mapped::shipped(include_str!("mappings/bind.toml"));
pub(crate) static UNBOUND: Mapped = Mapped::shipped(include_str!("mappings/unbound.toml"));
pub(crate) static OCSF_HTTP: Mapped = Mapped::shipped(include_str!("mappings/ocsf-http.toml"));
pub(crate) static OCSF_NETWORK: Mapped = Mapped::shipped(include_str!("mappings/ocsf-network.toml"));
pub(crate) static OCSF_DNS: Mapped = Mapped::shipped(include_str!("mappings/ocsf-dns.toml"));

/// Mappings whose records stand in one file with those of others, by name.
static BESIDE: &[(&str, &Mapped)] = &[
    ("ocsf-http", &OCSF_HTTP),
    ("ocsf-network", &OCSF_NETWORK),
    ("ocsf-dns", &OCSF_DNS),
    ("pan-traffic", &PAN_TRAFFIC),
    ("pan-url", &PAN_URL),
    ("cef-web", &CEF_WEB),
    ("cef-flow", &CEF_FLOW),
];

/// The mapping of that name, for the records of a file that are its own.
pub(super) fn beside(name: &str) -> Option<&'static Mapped> {
    BESIDE.iter().find(|(known, _)| *known == name).map(|(_, mapped)| *mapped)
}

/// The names that [`beside`] knows.
pub(super) fn names_beside() -> Vec<&'static str> {
    BESIDE.iter().map(|(name, _)| *name).collect()
}
