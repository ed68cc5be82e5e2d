//! A page as HTML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Block, Page};

/// Readable on a phone, light and dark as the reader's system is. Charts are drawn on white and keep
/// it.
const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1c1e; --ground: #fff; --faint: #6b6b70; --line: #dcdce0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --ground: #161618; --faint: #a0a0a8; --line: #3a3a40; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; } .faint, figcaption { color: var(--faint); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); }
figure { margin: 1rem 0; }
figure.chart svg { width: 100%; height: auto; display: block; background: #fff; border-radius: .5rem; }
.pictures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); }
.pictures figure { margin: 0; }
.pictures img { width: 100%; height: auto; display: block; border-radius: .25rem;
  image-rendering: pixelated; }
";

impl Page {
    /// The whole file.
    pub fn to_html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    // Browsers ask for a picture of the site unless there is one.
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (self.title) }
                    @if !self.subtitle.is_empty() { p.faint { (self.subtitle) } }
                    @for section in &self.sections {
                        section {
                            @if !section.heading.is_empty() { h2 { (section.heading) } }
                            @for block in &section.blocks { (markup(block)) }
                        }
                    }
                    p.faint { "Made by vi3nr " (env!("CARGO_PKG_VERSION")) "." }
                }
            }
        };
        page.into_string()
    }
}

fn markup(block: &Block) -> Markup {
    match block {
        Block::Text(text) => html! { p { (text) } },
        Block::Table { head, rows } => html! {
            div.wide {
                table {
                    @if !head.is_empty() {
                        thead { tr { @for name in head { th scope="col" { (name) } } } }
                    }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        },
        // The chart module escapes what it is given.
        Block::Chart { svg, caption } => html! {
            figure.chart {
                (PreEscaped(scalable(svg)))
                @if !caption.is_empty() { figcaption { (caption) } }
            }
        },
        Block::Pictures(pictures) => html! {
            div.pictures {
                @for picture in pictures {
                    figure {
                        img alt=(picture.caption)
                            src=(format!("data:image/png;base64,{}", STANDARD.encode(&picture.png)));
                        figcaption { (picture.caption) }
                    }
                }
            }
        },
    }
}

/// The drawing without its own size, so that it is as wide as the page; its view box keeps the shape.
fn scalable(svg: &str) -> String {
    let Some((head, rest)) = svg.split_once('>') else { return svg.into() };
    let words =
        head.split(' ').filter(|word| !word.starts_with("width=") && !word.starts_with("height="));
    format!("{}>{rest}", words.collect::<Vec<_>>().join(" "))
}
