use super::*;

#[test]
fn what_is_shown_cannot_become_markup() {
    let evil = "<script>alert(1)</script>\" & '";
    let page = Page {
        title: evil.into(),
        subtitle: evil.into(),
        sections: vec![Section {
            heading: evil.into(),
            blocks: vec![
                Block::Text(evil.into()),
                Block::Table { head: vec![evil.into()], rows: vec![vec![evil.into()]] },
                Block::Pictures(vec![Picture { caption: evil.into(), png: vec![1, 2, 3] }]),
                Block::Chart {
                    svg: "<svg width=\"9\" viewBox=\"0 0 9 9\"><g/></svg>".into(),
                    caption: evil.into(),
                },
            ],
        }],
    };
    let html = page.to_html();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    assert!(html.contains("<svg viewBox=\"0 0 9 9\"><g/></svg>"), "{html}");
    assert!(html.contains("data:image/png;base64,AQID"));
    for outside in ["http://", "https://", "<link rel=\"stylesheet\"", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn numbers_are_readable() {
    for (value, text) in [
        (serde_json::json!(79.73123456), "79.731"),
        (serde_json::json!(0.0776886987), "0.077689"),
        (serde_json::json!(1.5e-7), "1.5000e-7"),
        (serde_json::json!(12), "12"),
        (serde_json::json!("words"), "words"),
        (serde_json::json!(null), "–"),
    ] {
        assert_eq!(cell(&value), text);
    }
}
