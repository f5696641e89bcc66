//! `monologue coverage`: what the telemetry can and cannot show, and which claims that allows.

use crate::{
    assets,
    cli::{CoverageArguments, HuntArguments, MinimumLevel},
    hunting, outputs,
    talk::Verdict,
};
use anyhow::{Result, bail};
use monologue_model::{Level, Report};
use monologue_report::coverage::COVERAGE_OUTPUTS;
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// When an option cannot be understood, no input can be read, or the result cannot be written.
pub(crate) fn coverage(arguments: &CoverageArguments) -> Result<Verdict> {
    let wish = |text: &str| outputs::wish_among(text, COVERAGE_OUTPUTS);
    let mut wishes = arguments.outputs.iter().map(|text| wish(text)).collect::<Result<Vec<_>>>()?;
    if let Some(file) = &arguments.report {
        wishes.push(wish(&format!("{}={}", form_of(file)?, file.display()))?);
    }
    if wishes.is_empty() || (arguments.outputs.is_empty() && arguments.report.is_some()) {
        wishes.push(wish("text")?);
    }
    let required = hunting::requirements(&arguments.require)?;
    // What could be seen in practice shows only once records are joined: the same line as a hunt, without its findings.
    let mut report = hunting::run(&as_hunt(arguments), Level::Critical)?;
    name_releases(&mut report, arguments)?;
    outputs::write(&wishes, &mut report, None)?;
    Ok(if hunting::looked_as_required(&report, &required) { Verdict::Nothing } else { Verdict::CouldNotLook })
}

fn as_hunt(arguments: &CoverageArguments) -> HuntArguments {
    HuntArguments {
        inputs: arguments.inputs.clone(),
        assets: if arguments.lake.is_some() { Vec::new() } else { arguments.assets.clone() },
        lake: arguments.lake.clone(),
        memory: arguments.memory.clone(),
        local: arguments.local.clone(),
        outputs: Vec::new(),
        report: None,
        evidence: None,
        baseline: Vec::new(),
        settings: None,
        library: None,
        attack_site: None,
        code: Vec::new(),
        minimum_level: MinimumLevel::Critical,
        require: Vec::new(),
    }
}

/// What inventories say of the release of each host: some blind spots depend on it.
fn name_releases(report: &mut Report, arguments: &CoverageArguments) -> Result<()> {
    let versions = assets::os_versions(&arguments.assets)?;
    for host in &mut report.summary.coverage {
        host.os_version = versions.get(&*host.host).map(|version| version.as_str().into());
    }
    Ok(())
}

fn form_of(file: &Path) -> Result<&'static str> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("svg") => Ok("svg"),
        Some(extension) if extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm") => {
            Ok("html")
        }
        _ => {
            bail!("expected a name that ends in .html or .svg, found {file:?}; hint: --output NAME=FILE names the form")
        }
    }
}
