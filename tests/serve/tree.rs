//! The files that fixtures call TREE: with times that do not change, as entity tags and dates are made of them.
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// 2024-01-01T00:00:00Z.
const TIME: u64 = 1_704_067_200;
const FILES: &[(&str, &str)] = &[
    ("index.html", "<!doctype html><title>index</title>"),
    ("a.txt", "hello\n"),
    ("ten", "0123456789"),
    ("digits.txt", "0123456789"),
    ("empty.txt", ""),
    ("page.html", "<h1>page</h1>"),
    ("style.css", "a{}"),
    ("code.js", "1"),
    ("module.mjs", "1"),
    ("data.json", "{}"),
    ("data.xml", "<?xml version=\"1.0\"?><a/>"),
    ("picture.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
    ("photo.JPG", "not really"),
    ("font.woff2", "font"),
    ("code.wasm", "\0asm"),
    ("read.md", "# Read"),
    ("archive.tar.gz", "archive"),
    ("unknown.zzz", "<html>unknown"),
    ("noext", "<html>sniffed"),
    ("script.php", "<?php"),
    (".hidden", "hidden"),
    ("secret.bak", "secret"),
    ("with space.txt", "space"),
    ("question?.txt", "question"),
    ("percent%41.txt", "percent"),
    ("hash#.txt", "hash"),
    ("plus+.txt", "plus"),
    ("ünïcode.txt", "unicode"),
    ("<b>\"bold\"&'.txt", "markup"),
    ("back\\slash.txt", "backslash"),
    ("semi;colon:.txt", "semi"),
    ("dir/index.html", "dir index"),
    ("dir/b.html", "b"),
    ("dir/sub/c.txt", "c"),
    ("text/index.txt", "text index"),
    ("none/x.txt", "x"),
    ("none/private/y.txt", "y"),
    ("other/home.html", "home"),
    ("packed.txt", "plain plain plain"),
    ("packed.txt.gz", "gzipped"),
    ("packed.txt.br", "brotli"),
    ("packed.txt.zst", "zstandard"),
    ("only.txt", "plain"),
    ("only.txt.gz", "gzipped"),
    ("tagged.txt", "tagged"),
    ("tagged.txt.etag", "\"own\"\n"),
    ("tagged.txt.md5", "W/\"weak\""),
    ("errors/404.html", "no such page"),
    ("errors/500.html", "broken"),
    (
        "tpl/page.html",
        "{{import \"defs.html\"}}{{template \"def\" \"d\"}}|{{include \"part.html\" \"one\" 2}}|{{readFile \"part.html\"}}|{{fileExists \"part.html\"}} {{fileExists \"nope\"}} {{fileExists \"../a.txt\"}}|{{listFiles \"dir\"}}|{{(fileStat \"part.html\").Size}} {{(fileStat \"dir\").IsDir}}\n",
    ),
    ("tpl/defs.html", "ignored {{define \"def\"}}<{{.}}>{{end}}"),
    ("tpl/part.html", "part {{index .Args 0}} {{index .Args 1}} {{.Req.Method}}"),
    ("tpl/dir/a", ""),
    ("tpl/data.json", "{\"a\": {{1}}}"),
    ("tpl/text.txt", "{{2}}"),
    (
        "tpl/md.html",
        "{{$p := splitFrontMatter (readFile \"post.md\")}}{{$p.Meta.title}} {{range $p.Meta.tags}}({{.}}){{end}}\n{{markdown $p.Body}}",
    ),
    (
        "tpl/post.md",
        "---\ntitle: A post\ntags: [x, y]\n---\n# Head *one*\n\ntext with `code` and [link](/x).\n\n- a\n- b\n\n> quote\n",
    ),
    ("list/Beta", "12345"),
    ("list/alpha", "1"),
    ("list/gamma.txt", "123"),
    ("list/zdir/inner", ""),
    ("list/Adir/inner", ""),
    ("list/<i>\"x\"&.txt", "odd"),
    ("list/new\nline", "line"),
];
/// Later than the others by that many seconds.
const LATER: &[(&str, u64)] =
    &[("list/Beta", 300), ("list/alpha", 200), ("list/gamma.txt", 100), ("page.html", 3600)];

pub(crate) fn build() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, text) in FILES {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }
    fs::write(root.join("big.txt"), "the quick brown fox\n".repeat(500)).unwrap();
    fs::create_dir(root.join("list/none")).unwrap();
    symlink("alpha", root.join("list/link")).unwrap();
    symlink("Adir", root.join("list/linkdir")).unwrap();
    symlink("nowhere", root.join("list/broken")).unwrap();
    age(root);
    for (name, seconds) in LATER {
        set_time(&root.join(name), TIME + seconds);
    }
    set_time(&root.join("empty.txt"), 0);
    folder
}
/// The folders last, as what is made within them changes their times.
fn age(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            age(&entry.path());
        } else if kind.is_symlink() {
            let time = format!("@{TIME}");
            let touched =
                std::process::Command::new("touch").args(["-h", "-d", &time]).arg(entry.path()).status();
            assert!(touched.unwrap().success());
        } else {
            set_time(&entry.path(), TIME);
        }
    }
    set_time(folder, TIME);
}
fn set_time(path: &Path, seconds: u64) {
    File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}
