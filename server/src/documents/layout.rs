//! Where everything of a document stands: one layout for all kinds, from the left or from the right, on as many pages as it
//! takes. Points throughout; `y` grows downwards, and `x` counts from the side where reading begins.

use app::paper::{Format, Paper};
use app::parts::sheet::Party;
use billing::portal::branding::color::Rgb;

use super::text::{self, Line, Weight};

mod table;

pub struct Sheets {
    /// Width and height.
    pub size: (f32, f32),
    pub pages: Vec<Vec<Op>>,
    /// What is said, in the order of reading.
    pub tree: Vec<Part>,
}

/// What is drawn; places are from the page's left and top.
pub enum Op {
    /// A line of text from its left, on its base line.
    Line {
        at: (f32, f32),
        size: f32,
        color: Rgb,
        line: Line,
        mark: Mark,
    },
    /// Left, top, width, height.
    Bar {
        rect: (f32, f32, f32, f32),
        color: Rgb,
    },
    Link {
        rect: (f32, f32, f32, f32),
        url: String,
        label: String,
        leaf: usize,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// Of what is said: a leaf of the tree.
    Leaf(usize),
    /// Beside it, as page numbers are.
    Beside,
}

pub enum Part {
    Leaf(usize),
    Group(Role, Vec<Part>),
}

pub enum Role {
    /// With the text itself, which readers list.
    Title(String),
    Heading(String),
    Section,
    Paragraph,
    Link,
    Table,
    Head,
    Body,
    Row,
    /// What heads a column.
    Column,
    /// What heads a row.
    Label,
    Cell,
}

#[derive(Clone, Copy)]
struct Style {
    size: f32,
    leading: f32,
    weight: Weight,
    color: Rgb,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Where reading begins.
    Start,
    End,
}

/// A column of text: from where, how wide, at which of its sides.
#[derive(Clone, Copy)]
struct Column {
    x: f32,
    width: f32,
    side: Side,
}

const INK: Rgb = Rgb(25, 29, 39);
const QUIET: Rgb = Rgb(92, 98, 115);
const HAIR: Rgb = Rgb(222, 225, 232);

const TITLE: Style = Style { size: 25.0, leading: 31.0, weight: Weight::Bold, color: INK };
const HEADLINE: Style = Style { size: 17.0, leading: 23.0, weight: Weight::Bold, color: INK };
const BODY: Style = Style { size: 9.5, leading: 14.0, weight: Weight::Regular, color: INK };
const STRONG: Style = Style { weight: Weight::Bold, ..BODY };
const LABEL: Style = Style { color: QUIET, ..BODY };
const SMALL: Style = Style { size: 8.5, leading: 12.5, weight: Weight::Regular, color: QUIET };

const MARGIN: f32 = 48.0;
/// How far from the page's lower edge its footer stands, and where the text ends above it.
const FOOTER: f32 = 34.0;
const BOTTOM: f32 = 66.0;
/// Between columns.
const GAP: f32 = 12.0;

pub fn lay_out(paper: &Paper) -> Sheets {
    let size = match paper.format {
        Format::A4 => (595.276, 841.89),
        Format::Letter => (612.0, 792.0),
    };
    let rtl = paper.locale.dir() == "rtl";
    let mut setter = Setter { paper, size, rtl, pages: Vec::new(), y: 0.0, leaves: 0 };
    setter.next_page();
    let mut tree = setter.head();
    tree.extend(setter.parties());
    tree.extend(setter.headline());
    tree.push(setter.lines());
    tree.push(setter.sums());
    tree.extend(setter.notes());
    tree.extend(setter.links());
    setter.footers();
    Sheets { size, pages: setter.pages, tree }
}

struct Setter<'a> {
    paper: &'a Paper,
    size: (f32, f32),
    rtl: bool,
    pages: Vec<Vec<Op>>,
    /// Where the next thing stands on the last page.
    y: f32,
    leaves: usize,
}

impl Setter<'_> {
    fn width(&self) -> f32 {
        self.size.0 - 2.0 * MARGIN
    }

    fn whole(&self) -> Column {
        Column { x: 0.0, width: self.width(), side: Side::Start }
    }

    fn next_page(&mut self) {
        let edge = Op::Bar { rect: (0.0, 0.0, self.size.0, 5.0), color: self.paper.accent };
        self.pages.push(vec![edge]);
        self.y = MARGIN + 2.0;
    }

    /// Goes on to the next page where `height` does not fit on this one.
    fn need(&mut self, height: f32) -> bool {
        let is_over = self.y + height > self.size.1 - BOTTOM;
        if is_over {
            self.next_page();
        }
        is_over
    }

    fn push(&mut self, op: Op) {
        if let Some(page) = self.pages.last_mut() {
            page.push(op);
        }
    }

    fn leaf(&mut self) -> usize {
        self.leaves += 1;
        self.leaves
    }

    /// The page's left edge of something so wide.
    fn left(&self, column: Column, width: f32) -> f32 {
        let from_start = if column.side == Side::Start { column.x } else { column.x + column.width - width };
        if self.rtl { self.size.0 - MARGIN - from_start - width } else { MARGIN + from_start }
    }

    fn rule(&mut self, column: Column, y: f32, thick: f32, color: Rgb) {
        let left = self.left(column, column.width);
        self.push(Op::Bar { rect: (left, y, column.width, thick), color });
    }

    /// Draws one line whose box begins at `y`.
    fn line(&mut self, line: Line, style: Style, column: Column, y: f32, mark: Mark) {
        let left = self.left(column, line.width * style.size);
        let at = (left, y + style.leading / 2.0 + style.size * 0.36);
        self.push(Op::Line { at, size: style.size, color: style.color, line, mark });
    }

    /// Draws lines one under the other from `y` on, and says what they are and where they end.
    fn block(&mut self, lines: Vec<Line>, style: Style, column: Column, y: f32) -> (Vec<Part>, f32) {
        let mut below = y;
        let mut parts = Vec::new();
        for line in lines {
            let leaf = self.leaf();
            self.line(line, style, column, below, Mark::Leaf(leaf));
            parts.push(Part::Leaf(leaf));
            below += style.leading;
        }
        (parts, below)
    }

    fn text(&mut self, text: &str, style: Style, column: Column, y: f32) -> (Vec<Part>, f32) {
        self.block(wrapped(text, style, column), style, column, y)
    }

    /// What it is, who makes it, and its facts.
    fn head(&mut self) -> Vec<Part> {
        let paper = self.paper;
        let half = self.width() / 2.0;
        let name = Column { x: half + GAP, width: half - GAP, side: Side::End };
        let brand = Style { size: 13.0, leading: 17.0, color: paper.accent, ..STRONG };
        let (title, title_end) = self.text(&paper.kind, TITLE, Column { width: half, ..self.whole() }, self.y);
        let (merchant, merchant_end) = self.text(&paper.merchant, brand, name, self.y + 7.0);
        self.y = title_end.max(merchant_end) + 12.0;
        let mut rows = Vec::new();
        let longest = paper.facts.iter().map(|(label, _)| text::shape(label, LABEL.weight).width * LABEL.size);
        let label = Column { width: longest.fold(0.0, f32::max).min(half) + 1.0, ..self.whole() };
        let value = Column { x: label.width + 20.0, width: self.width() - label.width - 20.0, side: Side::Start };
        for (name, what) in &paper.facts {
            let (name, first) = self.text(name, LABEL, label, self.y);
            let (what, second) = self.text(what, STRONG, value, self.y);
            rows.push(group(Role::Row, vec![group(Role::Label, name), group(Role::Cell, what)]));
            self.y = first.max(second) + 1.5;
        }
        let facts = group(Role::Table, vec![group(Role::Body, rows)]);
        vec![group(Role::Title(paper.title.clone()), title), group(Role::Paragraph, merchant), facts]
    }

    /// Who bills whom, side by side.
    fn parties(&mut self) -> Vec<Part> {
        self.y += 22.0;
        let width = self.width() / 2.0;
        let mut end = self.y;
        let mut sections = Vec::new();
        let mut x = 0.0;
        for party in &self.paper.parties {
            let column = Column { x, width: width - GAP, side: Side::Start };
            let (section, below) = self.party(party, column);
            sections.push(section);
            end = end.max(below);
            x += width;
        }
        self.y = end;
        sections
    }

    fn party(&mut self, party: &Party, column: Column) -> (Part, f32) {
        let heading = Role::Heading(party.label.clone());
        let (label, mut y) = self.text(&party.label, LABEL, column, self.y);
        let mut parts = vec![group(heading, label)];
        for (index, line) in party.lines.iter().enumerate() {
            let style = if index == 0 { STRONG } else { BODY };
            let mut lines = wrapped(line, style, column);
            lines.truncate(6);
            let (line, below) = self.block(lines, style, column, y);
            parts.push(group(Role::Paragraph, line));
            y = below;
        }
        (group(Role::Section, parts), y)
    }

    fn headline(&mut self) -> Vec<Part> {
        let Some(headline) = &self.paper.headline else { return Vec::new() };
        self.y += 26.0;
        let (parts, end) = self.text(headline, HEADLINE, self.whole(), self.y);
        self.y = end;
        let mut all = vec![group(Role::Heading(headline.clone()), parts)];
        if let Some((label, url)) = &self.paper.action {
            let style = Style { color: self.paper.accent, ..STRONG };
            self.y += 3.0;
            let link = self.link(label, url, style, 0.0);
            all.push(group(Role::Paragraph, vec![link.0]));
            self.y += style.leading;
        }
        all
    }

    /// A link on one line at the current place, and how wide it is.
    fn link(&mut self, label: &str, url: &str, style: Style, x: f32) -> (Part, f32) {
        let line = text::shape(label, style.weight);
        let width = line.width * style.size;
        let column = Column { x, width, side: Side::Start };
        let (words, place) = (self.leaf(), self.leaf());
        let (y, left) = (self.y, self.left(column, width));
        self.line(line, style, column, y, Mark::Leaf(words));
        self.rule(column, y + style.leading - 1.5, 0.6, style.color);
        let rect = (left, y, width, style.leading);
        self.push(Op::Link { rect, url: url.to_owned(), label: label.to_owned(), leaf: place });
        (group(Role::Link, vec![Part::Leaf(words), Part::Leaf(place)]), width)
    }

    fn notes(&mut self) -> Vec<Part> {
        self.y += 24.0;
        let mut all = Vec::new();
        for note in &self.paper.notes {
            let mut parts = Vec::new();
            for line in wrapped(note, BODY, self.whole()) {
                self.need(BODY.leading);
                let (part, below) = self.block(vec![line], BODY, self.whole(), self.y);
                parts.extend(part);
                self.y = below;
            }
            self.y += 6.0;
            all.push(group(Role::Paragraph, parts));
        }
        all
    }

    /// The merchant's pages on one line.
    fn links(&mut self) -> Vec<Part> {
        if self.paper.links.is_empty() {
            return Vec::new();
        }
        self.need(SMALL.leading + 8.0);
        self.y += 4.0;
        let mut x = 0.0;
        let mut parts = Vec::new();
        for (label, url) in &self.paper.links {
            let (link, width) = self.link(label, url, SMALL, x);
            parts.push(link);
            x += width + 16.0;
        }
        self.y += SMALL.leading;
        vec![group(Role::Paragraph, parts)]
    }

    /// On every page: what it is a page of, and which.
    fn footers(&mut self) {
        let (paper, count) = (self.paper, self.pages.len());
        let y = self.size.1 - FOOTER - SMALL.leading;
        let whole = self.whole();
        let left = Column { width: self.width() * 0.7, ..whole };
        for number in 1..=count {
            let mut page = std::mem::take(&mut self.pages[number - 1]);
            self.pages.push(Vec::new());
            self.rule(whole, y - 9.0, 0.5, HAIR);
            let of = wrapped(&format!("{} · {}", paper.title, paper.merchant), SMALL, left);
            if let Some(line) = of.into_iter().next() {
                self.line(line, SMALL, left, y, Mark::Beside);
            }
            let which = text::shape(&paper.page(number, count), SMALL.weight);
            self.line(which, SMALL, Column { side: Side::End, ..whole }, y, Mark::Beside);
            page.extend(self.pages.pop().unwrap_or_default());
            self.pages[number - 1] = page;
        }
    }
}

fn wrapped(text: &str, style: Style, column: Column) -> Vec<Line> {
    text::wrap(text, style.weight, column.width / style.size)
}

fn group(role: Role, parts: Vec<Part>) -> Part {
    Part::Group(role, parts)
}
