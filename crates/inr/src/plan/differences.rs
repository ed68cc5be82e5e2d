//! The differences between two plans, for error messages.

use serde_json::{Map, Value};

/// Each value of `asked` that differs from that of `kept`, as a sentence with its path and both
/// values.
pub fn differences(kept: &Value, asked: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", kept, asked, &mut found);
    found
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
