//! The surroundings of an object as a picture: columns from those who use a technique to the logs that show it. Each
//! object is a link that can be reached with Tab and the arrow keys; embedded references are dashed.

use super::{addresses::Addresses, page::safe};
use crate::{
    graph::{Graph, Node},
    kinds,
};
use std::{collections::HashMap, fmt::Write as _};

/// Objects in one column; the table below the picture holds all.
const COLUMN_CAP: usize = 14;

const BOX_WIDTH: usize = 178;
const BOX_HEIGHT: usize = 40;
const STEP_X: usize = 216;
const STEP_Y: usize = 52;
const MARGIN: usize = 8;

/// Letters that fit into a box.
const LETTERS: usize = 22;

fn column(kind: &str) -> usize {
    match kind {
        "attack-pattern" | "x-mitre-tactic" | "x-mitre-matrix" => 1,
        "x-mitre-detection-strategy" => 2,
        "x-mitre-analytic" => 3,
        "x-mitre-data-component" | "x-mitre-data-source" => 4,
        "log-source" => 5,
        _ => 0,
    }
}

struct Placed<'a> {
    node: &'a Node,
    x: usize,
    y: usize,
}

/// Draws a graph. Empty where the object stands alone.
pub(super) fn graph(graph: &Graph, addresses: &Addresses) -> String {
    if graph.nodes.len() < 2 {
        return String::new();
    }
    let (placed, width, height, left_out) = place(graph);
    let numbers: HashMap<&str, usize> =
        placed.iter().enumerate().map(|(at, place)| (place.node.id.as_str(), at)).collect();
    let mut out = format!(
        "<p class=\"key note\"><span>Tab and arrow keys go from object to object, Enter opens one.</span>\
         <span>Solid: relationship object. Dashed: embedded in a field.</span>\
         <label hidden><input type=\"checkbox\" data-embedded checked> embedded references</label></p>\n\
         <div class=\"graph scroll\" tabindex=\"-1\"><svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"group\" aria-label=\"Relationships as a graph\">\n"
    );
    for link in &graph.links {
        let ends = numbers.get(link.from.as_str()).zip(numbers.get(link.to.as_str()));
        let Some((from, to)) = ends else { continue };
        if let (Some(start), Some(end)) = (placed.get(*from), placed.get(*to)) {
            let class = if link.embedded { " class=\"embedded\"" } else { "" };
            let _ = writeln!(
                out,
                "<path{class} data-from=\"{from}\" data-to=\"{to}\" d=\"{}\"><title>{}</title></path>",
                curve(start, end),
                safe(&format!("{} {} {}", start.node.title(), link.kind, end.node.title()))
            );
        }
    }
    for (at, place) in placed.iter().enumerate() {
        node(at, place, graph, addresses, &mut out);
    }
    out.push_str("</svg></div>\n<p class=\"told note\" aria-live=\"polite\"></p>\n");
    if left_out > 0 || graph.cut {
        let _ = writeln!(
            out,
            "<p class=\"note\">More objects are related than the picture shows; the table holds all.</p>"
        );
    }
    out
}

fn place(graph: &Graph) -> (Vec<Placed<'_>>, usize, usize, usize) {
    let mut columns: [Vec<&Node>; 6] = Default::default();
    let mut left_out = 0;
    for node in &graph.nodes {
        if let Some(column) = columns.get_mut(column(&node.kind)) {
            if column.len() < COLUMN_CAP || node.id == graph.root {
                column.push(node);
            } else {
                left_out += 1;
            }
        }
    }
    let used: Vec<&Vec<&Node>> = columns.iter().filter(|column| !column.is_empty()).collect();
    let tallest = used.iter().map(|column| column.len()).max().unwrap_or(1);
    let mut placed = Vec::new();
    for (at, column) in used.iter().enumerate() {
        let lead = (tallest - column.len()) * STEP_Y / 2;
        for (row, node) in column.iter().enumerate() {
            placed.push(Placed { node, x: MARGIN + at * STEP_X, y: MARGIN + lead + row * STEP_Y });
        }
    }
    let width = MARGIN * 2 + used.len().saturating_sub(1) * STEP_X + BOX_WIDTH;
    (placed, width, MARGIN * 2 + tallest * STEP_Y, left_out)
}

/// From side to side; around, where both stand in one column.
fn curve(from: &Placed<'_>, to: &Placed<'_>) -> String {
    let middle = |place: &Placed<'_>| place.y + BOX_HEIGHT / 2;
    let (y1, y2) = (middle(from), middle(to));
    if from.x == to.x {
        let x = from.x + BOX_WIDTH;
        return format!("M{x} {y1}C{0} {y1} {0} {y2} {x} {y2}", x + 40);
    }
    let (x1, x2) = if from.x < to.x { (from.x + BOX_WIDTH, to.x) } else { (from.x, to.x + BOX_WIDTH) };
    let half = usize::midpoint(x1, x2);
    format!("M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}")
}

fn node(at: usize, place: &Placed<'_>, graph: &Graph, addresses: &Addresses, out: &mut String) {
    let Placed { node, x, y } = place;
    let title = node.title();
    let kind = kinds::word(&node.kind);
    let mut class = String::from("node");
    if node.id == graph.root {
        class.push_str(" root");
    }
    if !node.present {
        class.push_str(" away");
    }
    let short: String = if title.chars().count() > LETTERS {
        title.chars().take(LETTERS - 1).chain(['…']).collect()
    } else {
        title.clone()
    };
    let away = if node.present { "" } else { ", not in these snapshots" };
    let place = format!(
        "data-n=\"{at}\" data-x=\"{x}\" data-y=\"{y}\" aria-label=\"{}\"",
        safe(&format!("{kind} {title}{away}"))
    );
    let (open, close) = match addresses.name(&node.id) {
        Some(name) => (format!("<a class=\"{class}\" href=\"{}.html\" {place}>", safe(name)), "</a>"),
        None => (format!("<g class=\"{class}\" tabindex=\"0\" role=\"img\" {place}>"), "</g>"),
    };
    let _ = writeln!(
        out,
        "{open}<title>{title}</title><rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"7\"/>\
         <text class=\"kind\" x=\"{text_x}\" y=\"{kind_y}\">{kind}</text><text x=\"{text_x}\" y=\"{text_y}\">{short}</text>{close}",
        title = safe(&title),
        text_x = x + 9,
        kind_y = y + 15,
        text_y = y + 31,
        short = safe(&short),
        kind = safe(kind),
    );
}
