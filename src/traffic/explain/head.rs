//! Explains heads, line by line.

use super::Explanation;
use super::glossary::{self, Remark};
use crate::wire::framing::Rule;
use crate::wire::{Fields, RequestHead, ResponseHead};

impl Explanation {
    /// Explains a request's head; `content` tells whether content follows.
    pub(super) fn request_head(&mut self, head: &RequestHead, content: bool) {
        let (text, section) = glossary::method(head.method());
        let start = [glossary::line("request-line"), (&text, section)];
        let remark = |name: &str, value: &str| glossary::request_field(name, value, content);
        self.head('>', (head.as_bytes(), head.fields()), start, &remark)
    }

    /// Explains a response's head; `rule` decides where its body ends, unless it is interim.
    pub(super) fn response_head(&mut self, head: &ResponseHead, rule: Option<Rule>) {
        let status = head.status();
        let (text, section) = glossary::status(status, head.class());
        let start = [glossary::line("status-line"), (&text, section)];
        let remark = |name: &str, value: &str| glossary::response_field(name, value, status, rule);
        self.head('<', (head.as_bytes(), head.fields()), start, &remark)
    }

    fn head(
        &mut self,
        side: char,
        (bytes, fields): (&[u8], &Fields),
        start: [Remark<'_>; 2],
        remark: &dyn Fn(&str, &str) -> Remark<'static>,
    ) {
        let page = &mut self.page;
        let (mut at, mut fields) = (0, fields.iter());
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            page.hex(side, line, at);
            match line {
                _ if at == 0 => {
                    page.line(side, line, start[0]);
                    page.remark(start[1]);
                }
                b"\r\n" | b"\n" => page.line(side, line, glossary::line("empty")),
                [b' ' | b'\t', ..] => page.line(side, line, glossary::line("folded")),
                _ => {
                    let field = fields.next();
                    let name = field.map_or("", |field| field.name());
                    let value = String::from_utf8_lossy(field.map_or(b"", |field| field.value()));
                    page.line(side, line, remark(name, &value));
                    if self.unix && side == '>' && name.eq_ignore_ascii_case("host") {
                        page.remark(glossary::line("host of a Unix socket"));
                    }
                }
            }
            if !line.ends_with(b"\r\n") {
                page.remark(glossary::line("bare LF"));
            }
            at += line.len();
        }
    }
}
