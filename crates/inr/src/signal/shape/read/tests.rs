//! The formats, whole and damaged.

use std::fs;
use std::path::Path;

use vi3nr::rng::{Random, Stream};

use crate::signal::shape::test_shapes::sphere;
use crate::signal::shape::vector::dot;
use crate::signal::shape::{Geometry, Shape, ShapeForm, SignedDistance, write_mesh};

fn open(name: &str, content: impl AsRef<[u8]>) -> Result<Shape, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    Shape::open(&path).map_err(|error| {
        let text = error.to_string();
        assert!(text.contains(name) && text.len() < 600 && !text.contains('\n'), "{text}");
        text
    })
}

const PLY: &str = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n\
    property float z\nelement face 3\nproperty list uchar int vertex_indices\nend_header\n\
    0 0 0\n1 0 0\n0 1 0\n0 0 1\n4 0 2 1 3\n3 0 1 3\n3 0 3 2\n";

#[test]
fn the_formats_are_read() {
    let faces = |shape: Shape| match &*shape.geometry {
        Geometry::Mesh(mesh) => mesh.faces.len(),
        Geometry::Points { points, .. } => points.len(),
    };
    // The quadrilateral contains one of the triangles again.
    assert_eq!(open("a.ply", PLY).map(faces), Ok(3));
    assert_eq!(open("a.ply", PLY.replace('\n', "\r\n")).map(faces), Ok(3));
    let obj = "# a comment\no one\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvn 0 0 1\n\
        usemtl none\ns off\nl 1 2\nf 1/1/1 2/1/1 4/1/1 3/1/1\no two\nf -4//1 -3//1 -2//1\n";
    assert_eq!(open("a.obj", obj).map(faces), Ok(3));
    let stl = "solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n\
        endloop\nendfacet\nendsolid\n";
    assert_eq!(open("a.stl", stl).map(faces), Ok(1));
    let mut binary = vec![b' '; 84 + 50];
    binary[..5].copy_from_slice(b"solid");
    binary[80..84].copy_from_slice(&1u32.to_le_bytes());
    for (i, x) in [0f32, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().enumerate() {
        binary[84 + 4 * i..88 + 4 * i].copy_from_slice(&x.to_le_bytes());
    }
    assert_eq!(open("a.stl", &binary).map(faces), Ok(1));
    assert_eq!(open("a.xyz", "# x y z n\n0 0 0 0 0 1\n\n1 0 0 0 0 2 # two\n").map(faces), Ok(2));
    let cloud = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\n\
        property float z\nproperty float nx\nproperty float ny\nproperty float nz\nend_header\n\
        0 0 0 0 0 1\n1 0 0 0 0 1\n";
    assert_eq!(open("a.ply", cloud).map(faces), Ok(2));
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    for (name, content, reason) in [
        ("a.ply", "", "magic"),
        ("a.ply", "ply\nformat ascii 1.0\nend_header\n", "no element 'vertex'"),
        ("a.ply", &PLY.replace("property float z\n", ""), "no property 'z'"),
        ("a.ply", &PLY.replace("4 0 2 1 3", "4 0 2 1 9"), "names vertex 9"),
        ("a.ply", &PLY.replace("4 0 2 1 3", "4 0 2 1 -3"), "names vertex -3"),
        ("a.ply", &PLY.replace("4 0 2 1 3", "999999999 0 2 1 3"), "only 4"),
        ("a.ply", &PLY.replace("\n1 0 0", "\nnan 0 0"), ""),
        ("a.ply", &PLY.replace("\n1 0 0", "\n1e39 0 0"), "finite"),
        ("a.ply", &PLY.replace("vertex 4", "vertex 1000000000"), "promises 1000000000 rows"),
        ("a.ply", &PLY.replace("face 3", "face 1000000000"), "promises 1000000000 rows"),
        ("a.ply", &PLY.replace("face 3", "face 99999999999999999999999"), ""),
        (
            "a.ply",
            &PLY.replace("element face 3", "element dust 1000000000\nelement face 3"),
            "dust",
        ),
        ("a.ply", &PLY[..PLY.len() - 8], ""),
        ("a.ply", &PLY.replace("4 0 2 1 3\n3 0 1 3\n3 0 3 2", "2 0 1\n1 0\n0"), "no faces"),
        (
            "a.ply",
            &PLY.replace("4 0 2 1 3\n3 0 1 3\n3 0 3 2", "3 0 1 1\n3 0 0 1\n3 2 2 2"),
            "corner twice",
        ),
        ("a.ply", &PLY.replace("0 1 0\n0 0 1", "2 0 0\n3 0 0"), "no area"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nf 1 2 3\n", "out of bounds"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nf 1 2 -3\n", ""),
        ("a.obj", "v 0 0\n", ""),
        ("a.obj", "v 0 0 0\n", "no faces"),
        ("a.obj", "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "finite"),
        ("a.obj", "v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "corner twice"),
        ("a.stl", "", "too few"),
        ("a.stl", "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n", "ends within a facet"),
        ("a.stl", "solid a\nendsolid\n", "no faces"),
        ("a.stl", &"x".repeat(90), "promises"),
        ("a.xyz", "0 0 0 0 0 1\n1 2\n", "line 2: 2 numbers"),
        ("a.xyz", "0 0 0 0 0 x\n", "'x' is not a number"),
        ("a.xyz", "0 0 0 0 0 0\n1 0 0 0 0 1\n", "not a direction"),
        ("a.xyz", "0 0 0 0 0 1\n", "expected an extent"),
        ("a.xyz", "", "no points"),
        ("a.glb", "", "expected a .ply"),
        ("a.xyz", "0 0 0\n1 2 3 0 0 1\n", "line 2: 6 numbers; expected 3"),
    ] {
        let error = open(name, content).expect_err(content);
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let missing = Shape::open(Path::new("missing.ply")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read 'missing.ply'"), "{missing}");
}

#[test]
fn files_cut_anywhere_or_with_any_byte_changed_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = sphere(2);
    let normals = vec![[0.0, 0.0, 1.0]; mesh.vertices.len()];
    for name in ["a.ply", "a.obj", "a.stl"] {
        let path = folder.path().join(name);
        write_mesh(&path, &mesh, &normals).unwrap();
        let bytes = fs::read(&path).unwrap();
        let random = Random::new(1, Stream::SAMPLES, 0);
        for end in (0..bytes.len()).step_by(7) {
            fs::write(&path, &bytes[..end]).unwrap();
            let _ = Shape::open(&path);
        }
        for i in 0..600 {
            let mut bytes = bytes.clone();
            for j in 0..3 {
                let place = random.below(6 * i + 2 * j, bytes.len() as u64) as usize;
                bytes[place] = random.bits(6 * i + 2 * j + 1)[0] as u8;
            }
            fs::write(&path, &bytes).unwrap();
            if let Ok(shape) = Shape::open(&path) {
                assert!(!SignedDistance::new(&shape.geometry).at([0.1; 3]).is_nan(), "{name} {i}");
            }
        }
    }
}

/// A cube of 12 triangles as OBJ, after `head`, with `tail` after each line.
fn cube_obj(head: &str, tail: &str) -> String {
    let mesh = crate::signal::shape::test_shapes::cube();
    let mut text = head.to_owned();
    for [x, y, z] in &mesh.vertices {
        text += &format!("v {x} {y} {z}{tail}\n");
    }
    for [a, b, c] in &mesh.faces {
        text += &format!("f {} {} {}\n", a + 1, b + 1, c + 1);
    }
    text
}

#[test]
fn obj_files_of_other_programs_are_read() {
    let plain = open("a.obj", cube_obj("", "")).unwrap();
    assert!(plain.warnings.is_empty(), "{:?}", plain.warnings);
    let faces = cube_obj("", "").replace("f 1 3", "f 1 \\\n 3");
    for text in [
        cube_obj("\u{FEFF}", ""),
        cube_obj("", " # a comment"),
        cube_obj("", " 0.5 0.25 1 1"),
        cube_obj("", "").replace('\n', "\r\n"),
        cube_obj("", "") + "l 1 2 3\np 1\n",
        faces,
    ] {
        let shape = open("a.obj", &text).unwrap();
        assert_eq!((shape.geometry, shape.warnings), (plain.geometry.clone(), vec![]), "{text}");
    }
    let latin = [b"# Gr\xF6\xDFe\ng K\xF6rper\n", cube_obj("", "").as_bytes()].concat();
    assert_eq!(open("a.obj", latin).unwrap().geometry, plain.geometry);
    let error = open("a.obj", cube_obj("v 1 2 z\n", "")).unwrap_err();
    assert!(error.contains("line 1: 'z' is not a number"), "{error}");
}

/// The cube as ASCII STL.
fn cube_stl() -> String {
    let mesh = crate::signal::shape::test_shapes::cube();
    let mut text = "solid thing\n".to_owned();
    for face in &mesh.faces {
        text += "facet normal nan nan nan\n outer loop\n";
        for [x, y, z] in mesh.corners(*face) {
            text += &format!("  vertex {x} {y} {z}\n");
        }
        text += " endloop\nendfacet\n";
    }
    text + "endsolid thing\n"
}

#[test]
fn stl_files_of_other_programs_are_read() {
    let faces = |content: &[u8]| match &*open("a.stl", content).unwrap().geometry {
        Geometry::Mesh(mesh) => mesh.faces.len(),
        Geometry::Points { .. } => 0,
    };
    let text = cube_stl();
    let moved = text.replace("vertex 1", "vertex 9").replace("vertex -1", "vertex 7");
    let latin = [b"solid Geh\xE4use\n", &text.as_bytes()[12..]].concat();
    assert_eq!(faces(text.as_bytes()), 12);
    assert_eq!(faces(text.to_uppercase().as_bytes()), 12);
    assert_eq!(faces(format!("  {}", text.replace("endsolid", "ENDSOLID")).as_bytes()), 12);
    assert_eq!(faces(&latin), 12);
    assert_eq!(faces((text + &moved).as_bytes()), 24);
    // Binary: "solid" in the header, bytes after the last triangle, a count that was not written.
    let mut binary = vec![b' '; 84];
    binary[..10].copy_from_slice(b"solid part");
    let mesh = crate::signal::shape::test_shapes::cube();
    for face in &mesh.faces {
        binary.extend([0; 12]);
        binary.extend(mesh.corners(*face).iter().flatten().flat_map(|x| (*x as f32).to_le_bytes()));
        binary.extend([0; 2]);
    }
    binary[80..84].copy_from_slice(&12u32.to_le_bytes());
    assert_eq!(faces(&binary), 12);
    binary.extend([0; 2]);
    assert_eq!(faces(&binary), 12);
    binary.truncate(binary.len() - 2);
    binary[80..84].fill(0);
    assert_eq!(faces(&binary), 12);
}

#[test]
fn xyz_and_ply_files_of_other_programs_are_read() {
    let rows = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, -1]];
    let row = |separator: &str, color: &str| -> String {
        let line = |row: &[i32; 3]| {
            let words: Vec<String> = row.iter().map(i32::to_string).collect();
            let words = words.join(separator);
            format!("{words}{separator}{color}{words}\n")
        };
        rows.iter().map(line).collect()
    };
    let plain = open("a.xyz", row(" ", "")).unwrap();
    for (name, text) in [
        ("a.xyz", row(",", "")),
        ("a.xyz", row(" ", "12 200 255 ")),
        ("a.xyz", format!("X Y Z Nx Ny Nz\n{}", row(" ", ""))),
        ("a.xyz", format!("//X Y Z Nx Ny Nz\n4\n{}", row(" ", ""))),
        ("a.XYZN", row("\t", "")),
    ] {
        assert_eq!(open(name, &text).unwrap(), plain, "{text}");
    }
    let head = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n\
        property float z\n";
    let normals = "property float normal_x\nproperty float normal_y\nproperty float normal_z\n";
    let cloud = format!("{head}{normals}end_header\n{}", row(" ", ""));
    assert_eq!(open("a.ply", cloud).unwrap(), plain);
    let strips = format!(
        "{head}element tristrips 1\nproperty list int int vertex_indices\nend_header\n\
         0 0 0\n1 0 0\n0 1 0\n0 0 1\n10 0 2 1 3 0 2 -1 0 2 1\n"
    );
    // Four faces of the strip make a tetrahedron; the last one is a face of the strip again.
    let shape = open("a.ply", strips).unwrap();
    assert!(shape.is_closed());
    assert_eq!(shape.warnings, ["1 duplicate faces were dropped"]);
}

/// Points without normals get them from their neighbors.
#[test]
fn points_without_normals_are_read() {
    let points = sphere(5).vertices;
    let rows: Vec<String> = points.iter().map(|[x, y, z]| format!("{x} {y} {z}")).collect();
    let (count, rows) = (points.len(), rows.join("\n"));
    let ply = format!(
        "ply\nformat ascii 1.0\nelement vertex {count}\nproperty float x\nproperty float y\n\
         property float z\nelement face 0\nproperty list uchar int vertex_indices\nend_header\n\
         {rows}\n"
    );
    let pcd = format!("FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH {count}\nDATA ascii\n{rows}\n");
    let colored = rows.replace('\n', " 1 2 3\n") + " 1 2 3";
    for (name, text) in [
        ("a.xyz", rows.clone()),
        ("a.xyz", format!("x y z r g b\n{colored}")),
        ("a.ply", ply),
        ("a.pcd", pcd),
    ] {
        let shape = open(name, &text).unwrap();
        assert_eq!(shape.form, ShapeForm::Points, "{text}");
        let Geometry::Points { points, normals } = &*shape.geometry else { panic!("{text}") };
        assert_eq!((points.len(), normals.len()), (count, count));
        assert!(points.iter().zip(normals).all(|(p, n)| dot(*p, *n) > 0.9));
    }
}

/// Two points with other fields around their positions and normals.
fn pcd(data: &str, content: &[u8]) -> Vec<u8> {
    let header = format!(
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n\
         FIELDS id x y z curvature normal_x normal_y normal_z\nSIZE 1 4 8 2 4 4 4 4\n\
         TYPE U F F I F F F F\nCOUNT 3 1 1 1 2 1 1 1\nWIDTH 2\nHEIGHT 1\n\
         VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 2\nDATA {data}\n"
    );
    [header.as_bytes(), content].concat()
}

/// The fields of those points, one after the other.
fn pcd_fields() -> [[Vec<u8>; 8]; 2] {
    let point = |x: f32, y: f64, z: i16, n: [f32; 3]| {
        let [a, b, c] = n.map(|n| n.to_le_bytes().to_vec());
        let (x, y) = (x.to_le_bytes().to_vec(), y.to_le_bytes().to_vec());
        [vec![7, 8, 9], x, y, z.to_le_bytes().to_vec(), vec![0; 8], a, b, c]
    };
    [point(1.0, 2.5, -3, [0.0, 0.0, 1.0]), point(2.0, -2.5, 3, [1.0, 0.0, 0.0])]
}

#[test]
fn pcd_files_of_every_kind_are_read() {
    let plain = open("a.xyz", "1 2.5 -3 0 0 1\n2 -2.5 3 1 0 0\n").unwrap();
    let ascii = "7 8 9 1 2.5 -3 0 0 0 0 1\n\n7 8 9 2 -2.5 3 0 nan 1 0 0";
    assert_eq!(open("a.pcd", pcd("ascii", ascii.as_bytes())).unwrap(), plain);
    let fields = pcd_fields();
    let rows: Vec<u8> = fields.iter().flatten().flatten().copied().collect();
    assert_eq!(open("a.PCD", pcd("binary", &rows)).unwrap(), plain);
    let columns: Vec<u8> =
        (0..8).flat_map(|field| fields.iter().flat_map(move |p| p[field].clone())).collect();
    let mut packed = Vec::new();
    for part in columns.chunks(32) {
        packed.push(part.len() as u8 - 1);
        packed.extend(part);
    }
    let sizes = [packed.len() as u32, columns.len() as u32].map(u32::to_le_bytes).concat();
    let compressed = pcd("binary_compressed", &[sizes, packed].concat());
    assert_eq!(open("a.pcd", &compressed).unwrap(), plain);
    // Points that a scanner did not see.
    let unseen = ascii.replace("\n\n", "\n7 8 9 nan nan nan 0 0 nan nan nan\n");
    let unseen = String::from_utf8(pcd("ascii", unseen.as_bytes())).unwrap();
    let unseen = unseen.replace("POINTS 2", "POINTS 3");
    assert_eq!(open("a.pcd", unseen).unwrap(), plain);
}

#[test]
fn damaged_pcd_files_are_refused_with_a_reason() {
    // Long enough for the two points that the header promises.
    let row = format!("7 8 9 1 2.5 -3 0 0 0 0 1{:40}\n", "");
    let whole = String::from_utf8(pcd("ascii", row.as_bytes())).unwrap();
    let change = |from: &str, to: &str| whole.replace(from, to).into_bytes();
    let rows: Vec<u8> = pcd_fields().iter().flatten().flatten().copied().collect();
    let compressed = |a: u32, b: u32, data: &[u8]| {
        pcd("binary_compressed", &[&a.to_le_bytes()[..], &b.to_le_bytes(), data].concat())
    };
    for (content, reason) in [
        (Vec::new(), "no line 'DATA'"),
        (b"FIELDS x y z\n".repeat(9999), "no line 'DATA'"),
        (whole.clone().into_bytes(), "it has 1 points; its header promises 2"),
        (change("POINTS 2", "POINTS 99999999999"), "promises 99999999999 points"),
        (change("POINTS 2", "POINTS -1"), "'-1', not a whole number"),
        (
            change("WIDTH 2\nHEIGHT 1", "WIDTH 18446744073709551615\nHEIGHT 2")
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.starts_with(b"POINTS"))
                .collect::<Vec<_>>()
                .join(&b'\n'),
            "more points than can be counted",
        ),
        (change("DATA ascii", "DATA zip"), "DATA is 'zip'"),
        (change(" y z", " y depth"), "no field 'z'"),
        (change("SIZE 1", "SIZE"), "8 fields, 7 sizes"),
        (change("COUNT 3", "COUNT"), "7 counts"),
        (change("TYPE U F", "TYPE U G"), "type 'G' and size 4"),
        (change("SIZE 1 4", "SIZE 1 2"), "type 'F' and size 2"),
        (change("COUNT 3", "COUNT 18446744073709551615"), "promises 2 points"),
        (change("1 2.5", "1 two"), "line 12: 'two' is not a number"),
        (change("1 2.5 -3 0 0 0 0 1", "1 2.5"), "line 12: 5 numbers; expected 11"),
        (pcd("binary", &rows[..rows.len() - 1]), "promises 2 points"),
        (pcd("binary_compressed", &[1, 2, 3]), "expected at least 8"),
        (compressed(100, 100, &[0; 9]), "100 compressed bytes are promised"),
        (compressed(4, 10, &[0; 4]), "promises 2 points"),
        (compressed(4, 1 << 20, &[0; 4]), "cannot expand"),
        (compressed(4, 74, &[31, 0, 0, 0]), "ends too early"),
    ] {
        let error = open("a.pcd", &content).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let huge = change("COUNT 3", "COUNT 18446744073709551615");
    let huge = String::from_utf8(huge).unwrap().replace("DATA ascii", "DATA binary");
    assert!(open("a.pcd", huge).unwrap_err().contains("1048576 bytes"));
}
