//! The differences between two plans, for error messages.

use serde_json::{Map, Value};

use super::{OLDEST_FORMAT, PLAN_FORMAT};

/// Each value of `asked` that differs from that of `kept`, as a sentence with its path and both
/// values.
pub fn differences(kept: &Value, asked: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", kept, asked, &mut found);
    found
}

/// The same without the backend, which may change when a run is resumed: the state of training does
/// not depend on it.
pub(crate) fn differences_but_backend(kept: &Value, asked: &Value) -> Vec<String> {
    // Formats of the same meaning follow from the other settings, among them the backend.
    let has_known_format = |plan: &Value| {
        let format = plan["format"].as_u64();
        format.is_some_and(|format| {
            (u64::from(OLDEST_FORMAT)..=u64::from(PLAN_FORMAT)).contains(&format)
        })
    };
    let are_known = has_known_format(kept) && has_known_format(asked);
    let [kept, asked] = [kept, asked].map(|plan| {
        let mut plan = plan.clone();
        if let Some(plan) = plan.as_object_mut() {
            plan.remove("engine");
            if are_known {
                plan.remove("format");
            }
        }
        // The identity of a run of version 1.
        if let Some(settings) = plan.get_mut("settings").and_then(Value::as_object_mut) {
            settings.remove("engine");
        }
        plan
    });
    differences(&kept, &asked)
}

fn compare(path: &str, kept: &Value, asked: &Value, found: &mut Vec<String>) {
    if let (Value::Object(kept), Value::Object(asked)) = (kept, asked) {
        let names = kept.keys().chain(asked.keys().filter(|name| !kept.contains_key(*name)));
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let value = |of: &Map<String, Value>| of.get(name).cloned();
            let (kept, asked) = (value(kept), value(asked));
            compare(&path, &kept.unwrap_or_default(), &asked.unwrap_or_default(), found);
        }
    } else if kept != asked {
        found.push(format!("{path} is {kept} there and {asked} here"));
    }
}
