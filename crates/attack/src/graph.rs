//! Objects around one object: relationship objects, and the references that stand in fields, which are marked as such.

use crate::{
    known,
    object::{Edge, Header},
    problem::Error,
    view::View,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// STIX id; for a log source a name of our own.
    pub id: String,
    /// STIX type, or `log-source`.
    pub kind: String,
    /// ATT&CK id. `None` where it has none.
    pub attack_id: Option<String>,
    /// Name.
    pub name: String,
    /// Steps from the object asked for.
    pub depth: usize,
    /// Whether the snapshots hold it; a reference may point outside of them.
    pub present: bool,
}

impl Node {
    /// The id and the name, for people.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.attack_id {
            Some(id) => format!("{id} {}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A reference between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Link {
    /// Node it starts at.
    pub from: String,
    /// Node it points to.
    pub to: String,
    /// What it says.
    pub kind: String,
    /// Whether it is a field of an object, and no relationship object.
    pub embedded: bool,
}

/// The surroundings of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The object asked for.
    pub root: String,
    /// Nodes, by distance, type and id.
    pub nodes: Vec<Node>,
    /// References.
    pub links: Vec<Link>,
    /// Whether there is more than was asked for at once.
    pub cut: bool,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Steps from the object.
    pub depth: usize,
    /// Most nodes.
    pub nodes: usize,
    /// Whether relationships and objects that are revoked or deprecated are shown.
    pub retired: bool,
    /// Whether steps beyond the first follow strategies and analytics only: what the object is detected by, and from what.
    pub detection_only: bool,
}

fn is_detection(stix_id: &str) -> bool {
    ["x-mitre-detection-strategy--", "x-mitre-analytic--"].iter().any(|kind| stix_id.starts_with(kind))
}

impl View<'_> {
    /// The objects around an object.
    ///
    /// # Errors
    /// When the object is not there, or the database fails.
    pub fn graph(&self, id: &str, reach: Reach) -> Result<Graph, Error> {
        self.graph_of(&self.find(id)?.header, reach)
    }

    /// The objects around an object that was found before.
    pub(crate) fn graph_of(&self, root: &Header, reach: Reach) -> Result<Graph, Error> {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        let mut links: BTreeSet<Link> = BTreeSet::new();
        let mut cut = false;
        let mut rim = vec![root.stix_id.clone()];
        nodes.insert(root.stix_id.clone(), node(root, 0));
        for depth in 1..=reach.depth {
            let mut next = Vec::new();
            for at in &rim {
                if depth > 1 && reach.detection_only && !is_detection(at) {
                    continue;
                }
                for stated in self.edges(at)? {
                    let edge = stated.edge;
                    if stated.retired && !reach.retired {
                        continue;
                    }
                    let other = if edge.from == *at { &edge.to } else { &edge.from };
                    if !nodes.contains_key(other) {
                        let Some(there) = self.other_end(other, depth, reach)? else { continue };
                        if nodes.len() >= reach.nodes {
                            cut = true;
                            continue;
                        }
                        nodes.insert(other.clone(), there);
                        next.push(other.clone());
                    }
                    take_link(&edge, depth, &mut nodes, &mut links);
                }
            }
            rim = next;
        }
        let mut nodes: Vec<Node> = nodes.into_values().collect();
        nodes.sort_by_cached_key(|node| {
            (node.depth, crate::kinds::order(&node.kind), crate::search::natural(&node.title()), node.id.clone())
        });
        Ok(Graph { root: root.stix_id.clone(), nodes, links: links.into_iter().collect(), cut })
    }

    /// The node at the other end. `None` where it is retired and such are not shown.
    fn other_end(&self, stix_id: &str, depth: usize, reach: Reach) -> Result<Option<Node>, Error> {
        Ok(match self.header(stix_id)? {
            Some(header) if (header.revoked || header.deprecated) && !reach.retired => None,
            Some(header) => Some(node(&header, depth)),
            None => {
                let known = known::by_id(stix_id);
                Some(Node {
                    id: stix_id.to_owned(),
                    kind: stix_id.split("--").next().unwrap_or_default().to_owned(),
                    attack_id: known.map(|known| known.attack_id.to_owned()),
                    name: known.map_or(stix_id, |known| known.name).to_owned(),
                    depth,
                    present: false,
                })
            }
        })
    }
}

fn node(header: &Header, depth: usize) -> Node {
    Node {
        id: header.stix_id.clone(),
        kind: header.kind.clone(),
        attack_id: header.attack_id.clone(),
        name: header.name.clone().unwrap_or_else(|| header.stix_id.clone()),
        depth,
        present: true,
    }
}

/// Takes a reference. A log source that an analytic names becomes a node behind its data component.
fn take_link(edge: &Edge, depth: usize, nodes: &mut BTreeMap<String, Node>, links: &mut BTreeSet<Link>) {
    let link = |from: &str, to: &str, kind: &str| Link {
        from: from.to_owned(),
        to: to.to_owned(),
        kind: kind.to_owned(),
        embedded: edge.embedded,
    };
    links.insert(link(&edge.from, &edge.to, &edge.kind));
    let Some(source) = &edge.log_source else { return };
    let channel = edge.channel.as_deref().unwrap_or("no channel");
    let id = format!("log-source:{source}:{channel}");
    nodes.entry(id.clone()).or_insert_with(|| Node {
        id: id.clone(),
        kind: "log-source".to_owned(),
        attack_id: None,
        name: format!("{source}: {channel}"),
        depth: depth + 1,
        present: true,
    });
    links.insert(link(&edge.to, &id, "has log source"));
    links.insert(link(&edge.from, &id, "names log source"));
}

impl Graph {
    /// The graph in the DOT language of Graphviz. Embedded references are dashed.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph attack {\n  rankdir=LR;\n  node [shape=box];\n");
        for node in &self.nodes {
            let shape = if node.kind == "log-source" { ", shape=note" } else { "" };
            let missing = if node.present { "" } else { ", style=dotted" };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "  {} [label={}{shape}{missing}];", quoted(&node.id), quoted(&node.title()));
        }
        for link in &self.links {
            let style = if link.embedded { ", style=dashed" } else { "" };
            let _ = writeln!(
                out,
                "  {} -> {} [label={}{style}];",
                quoted(&link.from),
                quoted(&link.to),
                quoted(&link.kind)
            );
        }
        out.push_str("}\n");
        out
    }
}

/// A quoted string of DOT: quotes and backslashes escaped, acting characters shown as code points.
fn quoted(text: &str) -> String {
    format!("\"{}\"", monologue_model::escape::terminal(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_within_their_quotes() {
        assert_eq!(quoted("a\"]; b\\\n"), "\"a\\\"]; b\\\\\\\\n\"");
    }
}
