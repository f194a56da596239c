//! A validator for the part of JSON Schema (draft 2020-12) that docs/trace.schema.json uses. What it does not know it
//! refuses, so that nothing in a schema goes unchecked. The crates that know all of JSON Schema bring some sixty others.

use serde_json::Value;

/// What is wrong with `value`, by the schema `root`.
pub fn check(root: &Value, value: &Value) -> Result<(), String> {
    node(root, root, value)
}

fn node(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(keywords) = schema else { return Err(format!("no schema: {schema}")) };
    for (keyword, wanted) in keywords {
        let ok = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = wanted.as_str().and_then(|r| r.strip_prefix('#')).ok_or("not a local $ref")?;
                node(root, root.pointer(pointer).ok_or(format!("nothing at {pointer}"))?, value)?;
                true
            }
            "type" => match wanted.as_str().ok_or("type is not a string")? {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => return Err(format!("unknown type {other}")),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().is_some_and(|all| all.contains(value)),
            "minimum" => value.as_f64() >= wanted.as_f64(),
            "maximum" => value.as_f64() <= wanted.as_f64(),
            "pattern" => {
                let pattern = regex_lite::Regex::new(wanted.as_str().unwrap_or("(")).map_err(|e| e.to_string())?;
                value.as_str().is_some_and(|s| pattern.is_match(s))
            }
            "required" => {
                let names = wanted.as_array().ok_or("required is not a list")?;
                names.iter().all(|name| name.as_str().is_some_and(|n| value.get(n).is_some()))
            }
            "properties" => {
                for (name, schema) in wanted.as_object().ok_or("properties is not an object")? {
                    if let Some(member) = value.get(name) {
                        node(root, schema, member).map_err(|e| format!("{name}: {e}"))?;
                    }
                }
                true
            }
            "additionalProperties" if wanted == &Value::Bool(false) => {
                let known = keywords.get("properties").and_then(Value::as_object).ok_or("no properties")?;
                value.as_object().is_none_or(|members| members.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    node(root, wanted, item)?;
                }
                true
            }
            "oneOf" => {
                let all = wanted.as_array().ok_or("oneOf is not a list")?;
                let mut wrong = Vec::new();
                let fits = all.iter().filter(|s| node(root, s, value).map_err(|e| wrong.push(e)).is_ok()).count();
                if fits != 1 {
                    return Err(format!("{fits} of {} fit: {}", all.len(), wrong.join("; ")));
                }
                true
            }
            other => return Err(format!("unknown keyword {other}")),
        };
        if !ok {
            return Err(format!("{keyword} {wanted} does not hold"));
        }
    }
    Ok(())
}
