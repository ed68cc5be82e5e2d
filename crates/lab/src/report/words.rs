//! Words for the keys of records, which people read in reports.

use serde_json::Value;

use super::cell;

/// What a key of a fit's report means, in the order in which a report shows it. The second entry is
/// the unit.
const RESULTS: [(&str, &str, &str); 32] = [
    ("psnr", "PSNR", "dB"),
    ("psnr_paper", "PSNR, the paper's convention", "dB"),
    ("ssim", "SSIM", ""),
    ("snr", "SNR", "dB"),
    ("iou", "IoU", ""),
    ("loss", "training loss", ""),
    ("model_size", "size of the model file", ""),
    ("bits_per_pixel", "bits per pixel", ""),
    ("bits_per_sample", "bits per sample", ""),
    ("parameters", "parameters", ""),
    ("optimizer", "optimizer", ""),
    ("backend", "backend", ""),
    ("device", "GPU", ""),
    ("steps", "optimizer steps", ""),
    ("kept_step", "step of the kept parameters", ""),
    ("stopped", "reason for stopping", ""),
    ("gradient_equivalents", "work in gradient equivalents", ""),
    ("points_per_second", "points per second", ""),
    ("learning_rate", "learning rate", ""),
    ("training_seconds", "training time", "s"),
    ("seconds", "total time", "s"),
    ("last_psnr", "PSNR after the last step", "dB"),
    ("last_psnr_paper", "PSNR after the last step, the paper's convention", "dB"),
    ("last_snr", "SNR after the last step", "dB"),
    ("last_loss", "training loss after the last step", ""),
    ("pieces.counts", "pieces along each axis", ""),
    ("pieces.below_target", "pieces below the target quality", ""),
    ("pieces.stalled", "pieces that stopped improving below the target", ""),
    ("pieces.unfinished", "pieces that ran out of steps or time", ""),
    ("pieces.worst_loss", "training loss of the worst piece", ""),
    ("pieces.worst_psnr", "PSNR of the worst piece", "dB"),
    ("pieces.worst_snr", "SNR of the worst piece", "dB"),
];

/// What a key of a plan means, in the order in which a report shows it.
const SETTINGS: [(&str, &str); 52] = [
    ("request.file", "file"),
    ("source.file", "file"),
    ("signal.kind", "kind of signal"),
    ("signal.width", "width in pixels"),
    ("signal.height", "height in pixels"),
    ("signal.channels", "channels"),
    ("signal.bit_depth", "bits per sample of the file"),
    ("signal.rate", "sample rate in Hz"),
    ("signal.samples", "samples"),
    ("signal.start", "start in seconds"),
    ("signal.scale", "scale factor of the signal"),
    ("signal.center", "center of the shape in the file's units"),
    ("signal.closed", "closed surface"),
    ("signal.elements", "triangles or points"),
    ("source.options.crop", "crop in pixels"),
    ("source.options.downscale", "downscaling factor"),
    ("source.options.gray", "converted to gray"),
    ("source.options.alpha", "alpha channel"),
    ("source.options.channels", "channels of the audio file"),
    ("source.options.start", "start of the excerpt in seconds"),
    ("source.options.duration", "duration of the excerpt in seconds"),
    ("source.options.clamp", "clamp of the signed distances"),
    ("source.options.grid", "samples per side of the IoU grid"),
    ("source.options.loss", "loss of the signed distances"),
    ("source.options.uniform", "share of uniform samples"),
    ("source.fingerprint", "fingerprint of the signal"),
    ("input_scale", "scale of the coordinates"),
    ("network.dims", "units of the layers"),
    ("network.activation", "activation"),
    ("init.scheme", "initialization"),
    ("init.weights", "distribution of the initial weights"),
    ("init.biases", "initial biases"),
    ("init.first_biases", "initial biases of the first layer"),
    ("start", "initial weights from"),
    ("seed", "seed"),
    ("pieces.counts", "pieces along each axis"),
    ("pieces.overlap", "overlap of the pieces in samples"),
    ("pieces.cures", "widths that are tried for difficult pieces"),
    ("training.optimizer", "optimizer"),
    ("training.learning_rate", "learning rate"),
    ("training.schedule.kind", "learning-rate schedule"),
    ("training.schedule.factor", "factor of the learning-rate schedule"),
    ("training.steps", "maximum number of steps"),
    ("training.batch", "mini-batch size"),
    ("training.target_psnr", "target quality in dB"),
    ("training.time_limit", "time limit in seconds"),
    ("training.factor_points", "points for the curvature factors"),
    ("training.model_points", "points for the quadratic model"),
    ("storage", "storage of the weights"),
    ("engine", "backend"),
    ("format", "format of the plan"),
    ("vi3nr_version", "version of vi3nr"),
];

/// A row of a table of results: the quantity, its value and its convention.
pub(super) fn results(report: &Value, conventions: &Value) -> Vec<Vec<String>> {
    let entries = leaves(report);
    let order = |key: &str| position(key, RESULTS.iter().map(|own| own.0));
    let row = |(key, value): (String, Value)| {
        let known = RESULTS.iter().find(|own| own.0 == key);
        let (words, unit) = known.map_or_else(|| (spelled(&key), ""), |own| (own.1.into(), own.2));
        let shown = if unit.is_empty() { cell(&value) } else { format!("{} {unit}", cell(&value)) };
        let convention = conventions[key.as_str()].as_str().unwrap_or_default();
        // The unit is shown with the number.
        let convention = convention.strip_prefix(unit).unwrap_or(convention);
        vec![words, shown, convention.trim_start_matches(", ").to_owned()]
    };
    sorted(entries, order).into_iter().map(row).collect()
}

/// A row of a table of settings: the setting and its value.
pub(super) fn settings(plan: &Value) -> Vec<Vec<String>> {
    let order = |key: &str| position(key, SETTINGS.iter().map(|own| own.0));
    let row = |(key, value): (String, Value)| {
        let known = SETTINGS.iter().find(|own| own.0 == key);
        vec![known.map_or_else(|| spelled(&key), |own| own.1.into()), cell(&value)]
    };
    sorted(leaves(plan), order).into_iter().map(row).collect()
}

/// What a column of `metrics.csv` shows.
pub(super) fn metric(name: &str) -> String {
    match RESULTS.iter().find(|own| own.0 == name) {
        Some((_, words, "")) => (*words).into(),
        Some((_, words, unit)) => format!("{words} in {unit}"),
        None => spelled(name),
    }
}

/// The index of a key, or that behind the last one for a key without words.
fn position<'a>(key: &str, mut keys: impl Iterator<Item = &'a str>) -> usize {
    keys.position(|own| own == key).unwrap_or(usize::MAX)
}

fn sorted(
    mut entries: Vec<(String, Value)>,
    order: impl Fn(&str) -> usize,
) -> Vec<(String, Value)> {
    entries.sort_by_key(|(key, _)| order(key));
    entries
}

/// A key without words of its own: `some_key` as `some key`.
fn spelled(key: &str) -> String {
    key.replace('.', ": ").replace('_', " ")
}

/// All values but null inside an object, with the path of keys that leads to each.
fn leaves(value: &Value) -> Vec<(String, Value)> {
    fn collect(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    collect(&path, value, found);
                }
            }
            Value::Null => {}
            value => found.push((path.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    collect("", value, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_have_words_units_and_conventions() {
        let report = json!({
            "some_key": 1, "steps": 20, "psnr": 46.0129, "pieces": {"worst_snr": -1.5},
            "none": null,
        });
        let conventions = json!({"psnr": "dB, peak 2", "some_key": "a count"});
        assert_eq!(
            results(&report, &conventions),
            [
                ["PSNR", "46.013 dB", "peak 2"],
                ["optimizer steps", "20", ""],
                ["SNR of the worst piece", "-1.5000 dB", ""],
                ["some key", "1", "a count"],
            ]
        );
    }

    #[test]
    fn settings_have_words() {
        let plan =
            json!({"seed": 7, "network": {"dims": [2, 8, 3]}, "training": {"new_key": true}});
        assert_eq!(
            settings(&plan),
            [["units of the layers", "2, 8, 3"], ["seed", "7"], ["training: new key", "yes"]]
        );
    }

    #[test]
    fn columns_have_words_and_units() {
        assert_eq!(metric("psnr"), "PSNR in dB");
        assert_eq!(metric("learning_rate"), "learning rate");
    }
}
