//! One file an output.

pub(crate) mod cef;
pub(crate) mod csv;
pub(crate) mod dettect;
pub(crate) mod ecs;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod navigator;
pub(crate) mod ocsf;
pub(crate) mod sigma;
pub(crate) mod splunk_hec;
pub(crate) mod stix;
pub(crate) mod text;
pub(crate) mod timeline;
