//! The live page: shows the traffic of a tap in a browser.

/// The files of the page: name, media type, content.
pub const FILES: [(&str, &str, &str); 3] = [
    ("", "text/html; charset=utf-8", include_str!("index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page.js")),
];
