//! `vi3nr export`: a model for other programs.

use serde_json::json;
use vi3nr_inr::export::OnnxModel;
use vi3nr_inr::model_file::Model;

use crate::CommandResult;
use crate::arguments::ExportArguments;
use crate::output::{Failure, note, print, print_bytes, require_no_terminal};

/// Translates the model and writes the file.
pub(crate) fn run(arguments: &ExportArguments) -> CommandResult {
    let is_stdout = arguments.out.as_os_str() == "-";
    if is_stdout {
        if arguments.json {
            let reason = "--json and --out - both write to standard output; expected one of them";
            return Err(Failure::Usage(reason.into()));
        }
        require_no_terminal("an ONNX file")?;
    }
    let model = Model::load(&arguments.model).map_err(Failure::usage)?;
    let onnx = OnnxModel::new(&model)
        .map_err(|error| Failure::from(error).about_file(&arguments.model))?;
    let OnnxModel { inputs, outputs, parameters, operations, .. } = onnx;
    let (opset, bytes) = (OnnxModel::OPSET, onnx.to_bytes().len());
    let summary = format!(
        "ONNX opset {opset}, {inputs} to {outputs}, {operations} operations, {parameters} \
         parameters, {bytes} bytes"
    );
    if is_stdout {
        print_bytes(onnx.to_bytes())?;
        note(&summary);
        return Ok(());
    }
    onnx.save(&arguments.out)?;
    let facts = json!({
        "file": arguments.out.to_string_lossy(),
        "opset": opset,
        "inputs": inputs,
        "outputs": outputs,
        "operations": operations,
        "parameters": parameters,
        "bytes": bytes,
    });
    print(arguments.json, &facts, &format!("{} ({summary})", arguments.out.display()))
}
