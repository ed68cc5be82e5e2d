//! `vi3nr decode` and `vi3nr mesh`: from a model to a file that people look at or listen to.

use std::path::Path;

use vi3nr_inr::decode::{DecodeRequest, decode};
use vi3nr_inr::model_file::Model;
use vi3nr_inr::request::EngineName;
use vi3nr_inr::run::backend;

use crate::CommandResult;
use crate::arguments::{DecodeArguments, MeshArguments, ThreadsAndJson};
use crate::output::{Failure, print, status};

/// Decodes at the resolution asked for and writes the file.
pub(crate) fn run(arguments: &DecodeArguments) -> CommandResult {
    let request = DecodeRequest {
        scale: arguments.scale,
        size: arguments.size,
        region: arguments.region,
        rate: arguments.rate,
        start: arguments.start,
        duration: arguments.duration,
        sample_format: arguments.sample_format,
        resolution: arguments.resolution,
    };
    write(&arguments.model, &request, &arguments.out, &arguments.common)
}

/// The same for shapes alone.
pub(crate) fn run_mesh(arguments: &MeshArguments) -> CommandResult {
    let resolution = Some(arguments.resolution);
    let request = DecodeRequest { resolution, ..DecodeRequest::default() };
    write(&arguments.model, &request, &arguments.out, &arguments.common)
}

fn write(
    model: &Path,
    request: &DecodeRequest,
    out: &Path,
    common: &ThreadsAndJson,
) -> CommandResult {
    let model = Model::load(model).map_err(Failure::usage)?;
    let backend = backend(EngineName::Cpu, common.threads).map_err(Failure::failed)?;
    let decoded = decode(&model, request, out, &*backend)?;
    for warning in &decoded.warnings {
        status(&format!("warning: {warning}"));
    }
    print(common.json, &decoded.facts, &format!("{} ({})", out.display(), decoded.summary))
}
