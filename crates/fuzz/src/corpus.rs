//! Small valid inputs of every reader, made by code or taken from the fixtures of the tests.

use std::fs;
use std::path::{Path, PathBuf};

use image::ExtendedColorType::{L8, L16, Rgb8, Rgb16, Rgba8};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// The path of a file of another crate's tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn files(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| {
        let path = fixture(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    names.iter().map(read).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435) >> 8) as u8).collect()
}

fn encoded(color: ExtendedColorType, is_png: bool) -> Vec<u8> {
    let (width, height) = (24, 18);
    let pixels = noise(width * height * usize::from(color.bits_per_pixel()) / 8);
    let mut bytes = Vec::new();
    let (width, height) = (width as u32, height as u32);
    let result = match is_png {
        true => PngEncoder::new(&mut bytes).write_image(&pixels, width, height, color),
        false => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, 60);
            encoder.write_image(&pixels, width, height, color)
        }
    };
    result.unwrap_or_else(|error| panic!("{error}"));
    bytes
}

/// A chunk with its checksum.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let body = [name.as_slice(), content].concat();
    let checksum = crc32fast::hash(&body).to_be_bytes();
    [&(content.len() as u32).to_be_bytes()[..], &body, &checksum].concat()
}

/// A PNG file of palette colors, one of which is transparent, in 4 bits, deflated without
/// compression.
fn palette_png() -> Vec<u8> {
    let rows: Vec<u8> = [0, 0x01, 0x23, 0x32, 0x10].repeat(8);
    let length = rows.len() as u16;
    let mut data = vec![0x78, 0x01, 0x01];
    data.extend(length.to_le_bytes());
    data.extend((!length).to_le_bytes());
    data.extend(&rows);
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &rows {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    data.extend((b << 16 | a).to_be_bytes());
    let header = [0, 0, 0, 8, 0, 0, 0, 8, 4, 3, 0, 0, 0];
    [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"PLTE", &noise(12)),
        chunk(b"tRNS", &[0, 255, 128]),
        chunk(b"IDAT", &data),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

pub(crate) fn png() -> Vec<Vec<u8>> {
    let mut all: Vec<_> =
        [L8, L16, Rgb8, Rgb16, Rgba8].into_iter().map(|color| encoded(color, true)).collect();
    all.push(palette_png());
    all
}

pub(crate) fn jpeg() -> Vec<Vec<u8>> {
    vec![encoded(L8, false), encoded(Rgb8, false)]
}

/// A WAV file of this format, with samples that are noise.
fn wav_of(format: u16, channels: u16, bits: u16) -> Vec<u8> {
    let data = noise(2400);
    let block = channels * bits / 8;
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend((8000 * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    let length = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

pub(crate) fn wav() -> Vec<Vec<u8>> {
    let formats = [(1, 1, 8), (1, 2, 16), (1, 1, 24), (1, 2, 32), (6, 1, 8), (7, 1, 8)];
    formats.into_iter().map(|(format, channels, bits)| wav_of(format, channels, bits)).collect()
}

/// The example of RFC 9639, appendix D.1.
const FLAC: [u8; 57] = [
    0x66, 0x4C, 0x61, 0x43, 0x80, 0x00, 0x00, 0x22, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0F, 0x00,
    0x00, 0x0F, 0x0A, 0xC4, 0x42, 0xF0, 0x00, 0x00, 0x00, 0x01, 0x3E, 0x84, 0xB4, 0x18, 0x07, 0xDC,
    0x69, 0x03, 0x07, 0x58, 0x6A, 0x3D, 0xAD, 0x1A, 0x2E, 0x0F, 0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00,
    0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA, 0x9A,
];

pub(crate) fn flac() -> Vec<Vec<u8>> {
    vec![FLAC.to_vec()]
}

pub(crate) fn mp3() -> Vec<Vec<u8>> {
    files(&["cli/tests/vi3nr/tone.mp3"])
}

pub(crate) fn ply() -> Vec<Vec<u8>> {
    let mut all = files(&["inr/tests/fixtures/tetra.ply"]);
    let mut binary = b"ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\n\
        property float y\nproperty float z\nelement face 4\n\
        property list uchar int vertex_indices\nend_header\n"
        .to_vec();
    for corner in [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0f32]] {
        binary.extend(corner.iter().flat_map(|value| value.to_le_bytes()));
    }
    for face in [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3i32]] {
        binary.push(3);
        binary.extend(face.iter().flat_map(|corner| corner.to_le_bytes()));
    }
    all.push(binary);
    all
}

pub(crate) fn obj() -> Vec<Vec<u8>> {
    texts(&[
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nv .2 .2 0\nf 1 3 5 2\nf 1 2 4\nf 1//1 4 -3\nf 2 3 4\n",
        "# a\no b\nv 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvn 0 0 1\n\
         f 1/1/1 3/1/1 2/1/1\nf 1 2 \\\n4\nl 1 2\nf -4 -1 -2\nf 2 3 4\n",
    ])
}

pub(crate) fn stl() -> Vec<Vec<u8>> {
    let mut text = "solid a\n".to_owned();
    let faces = [["0 0 0", "0 1 0", "1 0 0"], ["0 0 0", "1 0 0", "0 0 1"]];
    let more = [["0 0 0", "0 0 1", "0 1 0"], ["1 0 0", "0 1 0", "0 0 1"]];
    let mut binary = vec![b' '; 80];
    binary.extend(4u32.to_le_bytes());
    for face in faces.iter().chain(&more) {
        text.push_str("facet normal 0 0 1\nouter loop\n");
        binary.extend([0; 12]);
        for corner in face {
            text.push_str(&format!("vertex {corner}\n"));
            for number in corner.split(' ') {
                binary.extend(number.parse::<f32>().unwrap_or_default().to_le_bytes());
            }
        }
        text.push_str("endloop\nendfacet\n");
        binary.extend([0; 2]);
    }
    text.push_str("endsolid a\n");
    vec![text.into_bytes(), binary]
}

pub(crate) fn xyz() -> Vec<Vec<u8>> {
    texts(&[
        "x,y,z,nx,ny,nz\n0,0,1,0,0,1\n0 1 0 0 1 0\n1;0;0;1;0;0\n0 0 -1 0 0 -1\n",
        "0 0 1\n0 1 0\n1 0 0\n0 0 -1\n",
    ])
}

pub(crate) fn pcd() -> Vec<Vec<u8>> {
    let header = |data: &str| {
        format!(
            "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z rgb normal_x normal_y normal_z\n\
             SIZE 4 8 4 4 4 4 4\nTYPE F F I U F F F\nCOUNT 1 1 1 1 1 1 1\nWIDTH 4\nHEIGHT 1\n\
             VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 4\nDATA {data}\n"
        )
    };
    let points = [[0i32, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, -1]];
    let mut text = header("ascii");
    let (mut rows, mut columns) = (Vec::new(), vec![Vec::new(); 7]);
    for [x, y, z] in points {
        text += &format!("{x} {y} {z} 255 {x} {y} {z}\n");
        let normal = [x, y, z].map(|x| (x as f32).to_le_bytes().to_vec());
        let y = f64::from(y).to_le_bytes().to_vec();
        let position = [(x as f32).to_le_bytes().to_vec(), y, z.to_le_bytes().to_vec()];
        let color = [255u32.to_le_bytes().to_vec()];
        let fields = position.into_iter().chain(color).chain(normal);
        for (field, column) in fields.zip(&mut columns) {
            rows.extend(&field);
            column.extend(field);
        }
    }
    let binary = [header("binary").into_bytes(), rows].concat();
    // Literals, then the first bytes of the last field again.
    let expanded = columns.concat();
    let mut packed = Vec::new();
    for part in expanded[..expanded.len() - 4].chunks(32) {
        packed.push(part.len() as u8 - 1);
        packed.extend(part);
    }
    packed.extend([2 << 5, 3]);
    let mut compressed = header("binary_compressed").into_bytes();
    compressed.extend((packed.len() as u32).to_le_bytes());
    compressed.extend((expanded.len() as u32).to_le_bytes());
    compressed.extend(packed);
    vec![text.into_bytes(), binary, compressed]
}

pub(crate) fn model() -> Vec<Vec<u8>> {
    files(&[
        "inr/tests/fixtures/version-1/image/model.safetensors",
        "inr/tests/fixtures/version-2/audio/model.safetensors",
        "inr/tests/fixtures/version-2/shape/model.safetensors",
        "inr/tests/fixtures/version-2/init.safetensors",
        "inr/tests/fixtures/version-3/pieces/model.safetensors",
    ])
}

pub(crate) fn checkpoint() -> Vec<Vec<u8>> {
    files(&[
        "inr/tests/fixtures/version-1/cut/checkpoint.safetensors",
        "inr/tests/fixtures/version-2/cut/checkpoint.safetensors",
        "inr/tests/fixtures/version-2/cut-kfac/checkpoint.safetensors",
    ])
}

pub(crate) fn journal() -> Vec<Vec<u8>> {
    files(&["inr/tests/fixtures/version-3/pieces-cut/pieces.journal"])
}

pub(crate) fn run() -> Vec<Vec<u8>> {
    files(&[
        "inr/tests/fixtures/version-1/image/run.json",
        "inr/tests/fixtures/version-2/image/run.json",
        "inr/tests/fixtures/version-2/audio/run.json",
        "inr/tests/fixtures/version-3/pieces/run.json",
    ])
}

pub(crate) fn sweep() -> Vec<Vec<u8>> {
    texts(&[
        "title = \"a\"\nmaximize = \"psnr\"\n[strategy]\nkind = \"halving\"\nrungs = [10, 30]\n\
         keep = 0.33\n[settings]\nfile = \"tiny.png\"\n\
         activation = { format = \"gaussian:sigma={}\", values = [0.03, 0.05] }\n\
         lr = { from = 1e-4, to = 1e-2, points = 5, scale = \"log\" }\nwidth = 8\nsteps = 10\n\
         seed = [0, 1, 2]\n",
        "minimize = \"loss\"\n[settings]\nsteps = { from = 1, to = 9, points = 3 }\nwidth = 8\n\
         [[case]]\nname = \"S\"\nactivation = \"sine\"\n[[case]]\nname = \"G\"\n\
         activation = \"gaussian\"\nfile = { glob = \"*.png\" }\n",
    ])
}

pub(crate) fn database() -> Vec<Vec<u8>> {
    files(&["lab/tests/fixtures/sweep-2.sqlite"])
}

pub(crate) fn formula() -> Vec<Vec<u8>> {
    texts(&[
        "sin(30*x)",
        "exp(-x^2/2)",
        "gaussian:sigma=0.05",
        "sine:omega=30",
        "x/(1+exp(-x))",
        "max(x,0)+abs(x)-min(1,x)",
        "sech(2/-2)-(erfc(x))^(x)",
        "sqrt(abs(x))*sign(x)+log(1+x^2)",
        "finer:omega=30,k=1",
        "sin(exp(x))",
        "sin(sinh(2*x))",
        "x*tanh(exp(x))",
        "sech(2/-2147483648)-(erfc(x))^(x)",
        "sin(399999999999999999999999*x)",
        "sign(sin(x))-atan(sin(x)/abs(cos(x)))",
    ])
}

pub(crate) fn scheme() -> Vec<Vec<u8>> {
    texts(&[
        "backward:sigma_p=1",
        "siren:omega=30",
        "eoc:sigma_p=1,first_sigma_p=0.5",
        "ws:alpha=2,omega=30",
        "finer:omega=30,k=1",
        "winner:omega=30,s0=0.5,s1=0",
        "ours:sigma_p=auto",
        "vi3nr",
        "xavier",
        "kaiming",
        "kaiming:a=0.1",
        "ours_mc:sigma_p=1,samples=100",
        "ours_mc:sigma_p=1,samples=184467440",
        "ours_mc:sigma_p=1e-320,samples=21474848",
    ])
}

/// Words of the texts, for insertion.
pub(crate) const WORDS: &[&str] = &[
    "(",
    ")",
    ",",
    ":",
    "=",
    "^",
    "*",
    "/",
    "-",
    "+",
    "\n",
    "\\\n",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "#",
    "nan",
    "inf",
    "1e999",
    "\u{1B}[2J",
    "\0",
    "é",
    "x",
    "sin(",
    "exp(",
    "erf(",
    "sigma_p",
    "auto",
    "omega",
    "facet ",
    "vertex ",
    "element face 3\n",
    "f 1 2 3\n",
    "v 1 2 3\n",
    "end_header\n",
    "property float nx\n",
    "solid ",
    "points = 1000000000\n",
    "glob",
    "null",
    "true",
    "1e308",
];
