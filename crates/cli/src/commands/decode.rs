//! `vi3nr decode`: from a model to a file that people look at or listen to.

use std::path::Path;

use vi3nr_inr::decode::{DecodeRequest, Decoded, decode};
use vi3nr_inr::model_file::Model;
use vi3nr_inr::signal::SignalKind;

use super::backend::open;
use crate::CommandResult;
use crate::arguments::DecodeArguments;
use crate::output::{Failure, note, print, print_file, require_no_terminal, warn};
use crate::progress::DecodeBar;

/// Decodes at the given resolution and writes the file.
pub(crate) fn run(arguments: &DecodeArguments) -> CommandResult {
    let is_stdout = arguments.out.as_os_str() == "-";
    if is_stdout {
        if arguments.common.json {
            let reason = "--json and --out - both write to standard output; expected one of them";
            return Err(Failure::Usage(reason.into()));
        }
        require_no_terminal("a decoded file")?;
    }
    let model = Model::load(&arguments.model).map_err(Failure::usage)?;
    if !is_stdout {
        let decoded = write(&model, arguments, &arguments.out)?;
        let text = format!("{} ({})", arguments.out.display(), decoded.summary);
        return print(arguments.common.json, &decoded.facts, &text);
    }
    let extension = match model.signal.kind() {
        SignalKind::Audio => "wav",
        SignalKind::Shape => "ply",
        _ => "png",
    };
    // The writers seek, which a pipe cannot.
    let folder = tempfile::tempdir().map_err(Failure::failed)?;
    let file = folder.path().join("decoded").with_extension(extension);
    let decoded = write(&model, arguments, &file)?;
    print_file(&file)?;
    note(&decoded.summary);
    Ok(())
}

fn write(model: &Model, arguments: &DecodeArguments, out: &Path) -> Result<Decoded, Failure> {
    let request = DecodeRequest {
        scale: arguments.scale,
        size: arguments.size,
        region: arguments.region,
        derivative: arguments.derivative,
        rate: arguments.rate,
        start: arguments.start,
        duration: arguments.duration,
        sample_format: arguments.sample_format,
        resolution: arguments.resolution,
        attributes: arguments.attributes,
    };
    let opened = open(&arguments.backend, arguments.common.threads, model)?;
    let mut bar = DecodeBar::new(!arguments.common.json);
    let decoded = decode(model, &request, out, &*opened.backend, &mut |share| bar.show(share));
    bar.clear();
    let decoded = decoded?;
    decoded.warnings.iter().for_each(|warning| warn(warning));
    Ok(decoded)
}
