//! Every crate that enters the binary has a licence that deny.toml allows.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Whether an SPDX expression can be satisfied by allowed licences. Handles OR, AND, WITH, parentheses, and the old
/// slash for OR.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = text.split_whitespace().peekable();
    any_of(&mut words, allowed)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut ok = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        ok |= all_of(words, allowed);
    }
    ok
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut ok = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        ok &= one(words, allowed);
    }
    ok
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let ok = any_of(words, allowed);
        assert_eq!(words.next(), Some(")"), "unbalanced licence expression");
        return ok;
    }
    let mut name = words.next().expect("a licence name").to_string();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next().expect("an exception"));
    }
    allowed.contains(name.trim_end_matches("-only"))
}

#[test]
fn expressions() {
    let allowed = ["MIT", "GPL-2.0"].map(String::from).into();
    for (text, want) in [
        ("MIT OR Apache-2.0", true),
        ("Apache-2.0", false),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("(MIT OR X) AND GPL-2.0-only", true),
        ("Apache-2.0 WITH LLVM-exception OR X", false),
    ] {
        assert_eq!(satisfied(text, &allowed), want, "{text}");
    }
}

#[test]
fn every_linked_crate_is_allowed() {
    let root = env!("CARGO_MANIFEST_DIR");
    let deny: toml::Table = std::fs::read_to_string(format!("{root}/deny.toml")).unwrap().parse().unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap();
    let allowed: BTreeSet<String> = list.iter().map(|v| v.as_str().unwrap().to_string()).collect();
    let banned: BTreeSet<&str> =
        deny["bans"]["deny"].as_array().unwrap().iter().map(|v| v["crate"].as_str().unwrap()).collect();

    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features", "--locked", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let meta: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages: BTreeMap<&str, &serde_json::Value> =
        meta["packages"].as_array().unwrap().iter().map(|p| (p["id"].as_str().unwrap(), p)).collect();
    let nodes: BTreeMap<&str, &serde_json::Value> =
        meta["resolve"]["nodes"].as_array().unwrap().iter().map(|n| (n["id"].as_str().unwrap(), n)).collect();

    // Only normal dependencies are linked; build and dev dependencies may have any licence.
    let mut todo = vec![meta["resolve"]["root"].as_str().unwrap()];
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dep in nodes[id]["deps"].as_array().unwrap() {
            if dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null()) {
                todo.push(dep["pkg"].as_str().unwrap());
            }
        }
    }
    assert!(seen.len() > 20, "the dependency graph is too small to be right: {}", seen.len());
    let mut bad = Vec::new();
    for id in seen {
        let (name, licence) = (packages[id]["name"].as_str().unwrap(), packages[id]["license"].as_str());
        if banned.contains(name) || !licence.is_some_and(|l| satisfied(l, &allowed)) {
            bad.push(format!("{name}: {licence:?}"));
        }
    }
    assert!(bad.is_empty(), "not allowed by deny.toml: {bad:#?}");
}
