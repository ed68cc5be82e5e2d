//! Bad requests and bad files: the right exit code, a message that names what was seen, no panic.

use std::fs;

use crate::{SMALL_FIT, error, small_fit, texts, vi3nr};

#[test]
fn unreadable_images() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("text.png", b"not an image");
    write("empty.png", b"");
    write("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0");
    fs::create_dir(folder.path().join("folder.png")).unwrap();
    for (file, expected) in [
        ("text.png", "'text.png' is not an image: it contains text; expected a PNG or JPEG"),
        ("empty.png", "'empty.png' is not an image: it is empty (0 bytes)"),
        ("cut.png", "'cut.png' is a damaged or unsupported PNG image"),
        ("missing.png", "cannot read 'missing.png'"),
        ("folder.png", "cannot read 'folder.png'"),
    ] {
        let message = error(folder.path(), 2, &["fit", file]);
        assert!(message.contains(expected), "{message}");
        assert!(!folder.path().join("runs").exists(), "{file} left a run directory");
    }
}

#[test]
fn requests_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["--activation", "gausian"][..], "known: sine, gaussian"),
        (&["--activation", "gaussian:sigma=0"], "above 0"),
        (&["--sigma-p", "-1"], "above 0"),
        (&["--sigma-p", "nan"], "above 0, auto"),
        (&["--lr", "inf"], "above 0"),
        (&["--layers", "0"], "at least"),
        (&["--width", "0"], "a size is 0"),
        (&["--width", "1000000000000"], "a size is over 65536"),
        (&["--width", "65536", "--layers", "9"], "over 134217728 parameters"),
        (&["--steps", "0"], "expected a whole number, 1 or more"),
        (&["--batch", "0"], "from 1 to 268435456, or full"),
        (&["--threads", "0"], "from 1 to 1024"),
        (&["--time-limit", "1e300"], "--time-limit"),
        (&["--schedule", "exponential"], "--lr-decay: the exponential schedule needs a factor"),
        (
            &["--schedule", "cosine", "--lr-decay", "0.9"],
            "--lr-decay: only the exponential schedule has a factor",
        ),
        (&["--init", "siren", "--activation", "relu"], "relu; it was derived for the sine"),
        (&["--init", "siren", "--sigma-p", "1"], "--sigma-p: "),
        (&["--crop", "10"], "needs a FILE"),
        (&["--colour"], "unexpected argument"),
    ] {
        let message = error(folder.path(), 2, &[&["fit"], arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    for (arguments, expected) in [
        (&["decode", "m", "--out", "a.png", "--size", "10"][..], "WIDTHxHEIGHT"),
        (
            &["decode", "m", "--out", "a.png", "--size", "10x10", "--scale", "2"],
            "cannot be used with",
        ),
        (&["bench", "--shape", "img512"], "expected one of img256, img128, audio, sdf"),
        (&["fly"], "unrecognized subcommand"),
    ] {
        let message = error(folder.path(), 2, arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert!(!folder.path().join("runs").exists());
}

/// A terminal must not obey what stands in a file, and a message has an end.
#[test]
fn text_of_files_is_escaped_and_cut() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "\x1b[2J\x1b]0;title\x07\u{202e}".repeat(1000);
    fs::write(folder.path().join("a.stl"), format!("solid a\n{hostile} 1 2 3\n")).unwrap();
    fs::write(folder.path().join("a.toml"), format!("maximize = 'psnr'\n\"{hostile}\" = 1\n"))
        .unwrap();
    fs::write(folder.path().join("a.json"), format!("{{\"{}\": 1}}", "a\u{9b}2J".repeat(9000)))
        .unwrap();
    for arguments in [
        &["fit", "a.stl"][..],
        &["sweep", "a.toml"],
        &["fit", "--request", "a.json"],
        &["info", "\x1b[2J\u{202e}"],
    ] {
        let message = error(folder.path(), 2, arguments);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!message.contains(acts), "{message:?}");
        assert!(message.len() < 5000, "{arguments:?}: {} bytes", message.len());
    }
}

#[test]
fn damaged_and_foreign_models() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &[]);
    let path = folder.path().join("model");
    let whole = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        for command in [&["info"][..], &["decode", "--out", "a.png"], &["eval", "--against", "x"]] {
            let message = error(folder.path(), 2, &[command, &["model"]].concat());
            assert!(message.contains("'model'") && message.contains(expected), "{message}");
        }
    };
    check(b"", "not a safetensors file");
    check(b"hello, this is not a model at all", "not a safetensors file");
    check(&whole[..100], "not a safetensors file or is damaged");
    check(&whole[..whole.len() - 1], "damaged");
    check(&[&whole[..], b"x"].concat(), "damaged");
    let replaced = |from: &str, to: &str| {
        let text = from.as_bytes();
        let at = whole.windows(text.len()).position(|part| part == text).unwrap();
        [&whole[..at], to.as_bytes(), &whole[at + text.len()..]].concat()
    };
    check(&replaced("\"format_version\":\"3\"", "\"format_version\":\"9\""), "upgrade vi3nr");
    check(&replaced("\"format\":\"vi3nr\"", "\"format\":\"other\""), "not a vi3nr model");
    check(&replaced("2,16,16,3", "2,96,16,3"), "damaged");
    check(&replaced("\"sine:omega=20\"", "\"sine:omega=-0\""), "above 0");
    let message = error(folder.path(), 2, &["info", "nothing-here"]);
    assert!(message.contains("cannot read 'nothing-here'"), "{message}");
}

#[test]
fn places_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let message = error(folder.path(), 1, &[&SMALL_FIT[..], &["--out", "file/run"]].concat());
    assert!(message.contains("cannot use 'file/run' as the run directory"), "{message}");
    small_fit(folder.path(), "run", &[]);
    let message = error(folder.path(), 1, &["decode", "run", "--out", "missing/a.png"]);
    assert!(message.contains("cannot write 'missing/a.png'"), "{message}");
    #[cfg(target_os = "linux")]
    {
        let message = error(folder.path(), 1, &["decode", "run", "--out", "/dev/full"]);
        assert!(message.contains("'/dev/full'") && message.contains("No space left"), "{message}");
    }
}

#[test]
fn a_start_without_a_finite_loss() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--activation", "relu", "--sigma-p", "3e38", "--out", "run"];
    let message = error(folder.path(), 1, &[&SMALL_FIT[..], &arguments].concat());
    assert!(
        message.contains("the loss of the initial weights is not a finite number"),
        "{message}"
    );
    assert!(message.contains("smaller sigma_p or fewer layers (--sigma-p, --layers)"), "{message}");
    assert!(!folder.path().join("run/model.safetensors").exists());
}

#[test]
fn help_and_version_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["--version"], &["fit", "--help"], &["bench", "--help"]] {
        let output = vi3nr(folder.path(), arguments);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout.contains("vi3nr") && stderr.is_empty(), "{arguments:?}");
    }
    let output = vi3nr(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
}
