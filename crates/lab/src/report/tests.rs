use std::ops::ControlFlow;

use vi3nr_engine::CpuBackend;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run};

use super::*;

/// The texts, captions and table rows of a page.
fn shown(page: &Page) -> Vec<String> {
    let of_block = |block: &Block| match block {
        Block::Text(text) => vec![text.clone()],
        Block::Images { images, .. } => images.iter().map(|image| image.caption.clone()).collect(),
        Block::Table { rows, .. } => rows.iter().map(|row| row.join(": ")).collect(),
        _ => Vec::new(),
    };
    page.sections.iter().flat_map(|section| &section.blocks).flat_map(of_block).collect()
}

#[test]
fn a_run_is_compared_with_its_file_or_the_page_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let file = folder.path().join("a.png");
    std::fs::copy(fixtures.join("sweep-2.png"), &file).unwrap();
    let settings = serde_json::json!({
        "file": file, "activation": "sine:omega=30", "width": 8, "layers": 3, "steps": 3, "crop": 10,
    });
    let request = FitRequest::from_settings(settings.as_object().unwrap()).unwrap();
    let backend = CpuBackend::new(Some(1)).unwrap();
    let path = folder.path().join("run");
    let destination = Destination::Directory { path: path.clone(), overwrite: false };
    let run = Run::begin(&request, &destination, &backend).unwrap();
    let page = of_run(&path, &backend).unwrap();
    assert_eq!(shown(&page)[0], "The run has not ended.");
    let now = std::time::Instant::now();
    run.execute(&backend, Default::default(), now, &mut |_| ControlFlow::Continue(())).unwrap();

    let page = of_run(&path, &backend).unwrap();
    assert_eq!(shown(&page)[..2], ["ground truth", "reconstruction"]);
    assert!(shown(&page)[2].starts_with("absolute error; white is "), "{:?}", shown(&page));
    let expected = "activation sine:omega=30, initialization siren:omega=30, seed 0";
    assert_eq!(page.subtitle, expected);
    let lines = shown(&page);
    for part in [
        "PSNR: ",
        "SSIM: ",
        "bits per pixel: ",
        "size of the model file: ",
        "seed: 0",
        "crop in pixels: 10",
        "maximum number of steps: 3",
        "reason for stopping: steps",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(part)), "{part}: {lines:?}");
    }
    let warning = "The model represents little of the image: its loss is";
    assert!(lines.iter().any(|line| line.starts_with(warning)), "{lines:?}");
    // One PSNR, and words instead of keys.
    let count = lines.iter().filter(|line| line.starts_with("PSNR: ")).count();
    assert_eq!(count, 1, "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains('_') && !line.contains('/')), "{lines:?}");

    std::fs::copy(folder.path().join("run/reconstruction.png"), &file).unwrap();
    // The image is smaller than the crop.
    let image = vi3nr_inr::signal::image::test_image(8).unwrap();
    image.save_png(&file, image.bit_depth()).unwrap();
    let text = &shown(&of_run(&path, &backend).unwrap())[0];
    assert!(text.starts_with("The ground truth is not shown: cannot cut 10x10"), "{text}");
    std::fs::remove_file(&file).unwrap();
    let page = of_run(&path, &backend).unwrap();
    assert!(shown(&page)[0].contains("cannot read"), "{:?}", shown(&page));
    assert_eq!(shown(&page)[1], "reconstruction");

    std::fs::write(path.join("model.safetensors"), "not a model").unwrap();
    assert!(matches!(of_run(&path, &backend), Err(ReportError::Model(_))));
    std::fs::write(path.join("run.json"), "{").unwrap();
    assert!(matches!(of_run(&path, &backend), Err(ReportError::Run(_))));
}

#[test]
fn a_run_of_version_1_is_shown() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inr/tests/fixtures");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run-image");
    std::fs::create_dir(&path).unwrap();
    for entry in std::fs::read_dir(fixtures.join("version-1/image")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    // The command gives the location of the file.
    let command =
        serde_json::json!({"folder": folder.path(), "words": ["tiny.png", "--crop", "10"]});
    std::fs::write(path.join("command.json"), command.to_string()).unwrap();
    let backend = CpuBackend::new(Some(1)).unwrap();
    let missing = of_run(&path, &backend).unwrap();
    assert!(shown(&missing)[0].contains("tiny.png"), "{:?}", shown(&missing));
    std::fs::copy(fixtures.join("tiny.png"), folder.path().join("tiny.png")).unwrap();
    let page = of_run(&path, &backend).unwrap();
    assert_eq!(shown(&page)[..2], ["ground truth", "reconstruction"]);
    let expected = "activation sine:omega=30, initialization siren:omega=30, seed 0";
    assert_eq!(page.subtitle, expected);
    assert!(page.to_html().contains("PSNR"));
}

#[test]
fn texts_are_escaped() {
    let evil = "<script>alert(1)</script>\" & '";
    let page = Page {
        title: evil.into(),
        subtitle: evil.into(),
        sections: vec![Section {
            heading: evil.into(),
            blocks: vec![
                Block::Text(evil.into()),
                Block::Table { head: vec![evil.into()], rows: vec![vec![evil.into()]] },
                Block::Images {
                    images: vec![ReportImage { caption: evil.into(), png: vec![1, 2, 3] }],
                    is_scaled: true,
                },
                Block::Chart {
                    svg: format!("<svg viewBox=\"0 0 9 9\">{evil}</svg>"),
                    caption: evil.into(),
                },
            ],
        }],
    };
    let html = page.to_html();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    assert!(html.contains("data:image/svg+xml;base64,PHN2"), "{html}");
    assert!(html.contains("data:image/png;base64,AQID"));
    for outside in ["http://", "https://", "<link rel=\"stylesheet\"", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

/// A folder of results may hold SVG files of any origin, whose scripts must not run in the report.
#[test]
fn svg_files_are_embedded_as_images() {
    let folder = tempfile::tempdir().unwrap();
    let result = serde_json::json!({"name": "table1", "title": "t", "cells": [{"row": "a"}]});
    std::fs::write(folder.path().join("table1.json"), result.to_string()).unwrap();
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    std::fs::write(folder.path().join("table1-x.svg"), svg).unwrap();
    let html = of_repro(folder.path()).unwrap().to_html();
    assert!(!html.contains("<script") && !html.contains("<svg"), "{html}");
    assert!(html.contains("src=\"data:image/svg+xml;base64,"), "{html}");
}

#[test]
fn numbers_are_readable() {
    for (value, text) in [
        (serde_json::json!(79.73123456), "79.731"),
        (serde_json::json!(0.0776886987), "0.077689"),
        (serde_json::json!(1.5e-7), "1.5000e-7"),
        (serde_json::json!(12), "12"),
        (serde_json::json!(99843.0), "99843"),
        (serde_json::json!([2, 128, 3]), "2, 128, 3"),
        (serde_json::json!(true), "yes"),
        (serde_json::json!("words"), "words"),
        (serde_json::json!(null), "–"),
    ] {
        assert_eq!(cell(&value), text);
    }
}
