//! A page as an HTML file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Block, Page};

/// Readable on a phone, and light or dark as the reader's system is. Charts keep their white
/// background.
const STYLE: &str = "
:root { color-scheme: light dark;
  --ink: #1c1c1e; --ground: #fff; --faint: #6b6b70; --line: #dcdce0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --ground: #161618; --faint: #a0a0a8; --line: #3a3a40; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; } .faint, figcaption { color: var(--faint); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; font-variant-numeric: tabular-nums;
  font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); }
figure { margin: 1rem 0; }
figure.chart img { width: 100%; height: auto; display: block; background: #fff;
  border-radius: .5rem; }
.images { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); }
.images figure { margin: 0; }
.images img { width: 100%; height: auto; display: block; border-radius: .25rem;
  image-rendering: pixelated; }
.actual-size { display: flex; flex-wrap: wrap; }
.actual-size img { width: auto; max-width: 100%; }
.actual-size figure { max-width: 100%; }
";

impl Page {
    /// The page as an HTML file.
    pub fn to_html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    // Without an icon, browsers ask the server for one.
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
        Block::Chart { svg, caption } => html! {
            figure.chart {
                // As an image, so that no script in a foreign file runs and nothing is loaded.
                img alt=(caption) src=(data_uri("image/svg+xml", svg.as_bytes()));
                @if !caption.is_empty() { figcaption { (caption) } }
            }
        },
        Block::Images { images, is_scaled } => html! {
            div class=(if *is_scaled { "images" } else { "images actual-size" }) {
                @for image in images {
                    figure {
                        img alt=(image.caption) src=(data_uri("image/png", &image.png));
                        figcaption { (image.caption) }
                    }
                }
            }
        },
    }
}

fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}
