//! A set document as PDF/A-3a and PDF/UA-1: tagged, archival, its fonts inside, the same bytes for the same document.

use std::collections::HashMap;
use std::num::NonZeroU16;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata, TextDirection};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::{Page, PageSettings};
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};
use krilla::{Document, SerializeSettings};

use app::paper::Paper;
use billing::portal::branding::color::Rgb;
use billing::{Error, Result, Seconds};

use super::Typesetter;
use super::layout::{self, Mark, Op, Part, Role, Sheets};

/// Writes PDF.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pdf;

impl Typesetter for Pdf {
    fn set(&self, paper: &Paper) -> Result<Vec<u8>> {
        let sheets = layout::lay_out(paper);
        let strict = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A3_A)
            .with_accessibility_validator(Accessibility::UA1)
            .finish()
            .map_err(|error| Error::internal(format!("{error:?}")))?;
        write(paper, &sheets, strict).or_else(|error| {
            // A document that a reader can open is worth more than none.
            tracing::error!(%error, document = paper.id, "a document is not as archives ask for it");
            write(paper, &sheets, Configuration::default()).map_err(Error::internal)
        })
    }
}

fn write(paper: &Paper, sheets: &Sheets, configuration: Configuration) -> std::result::Result<Vec<u8>, String> {
    let settings = SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let mut marked = HashMap::new();
    let (width, height) = sheets.size;
    for ops in &sheets.pages {
        let size = PageSettings::from_wh(width, height).ok_or("a page has no size")?;
        draw(document.start_page_with(size), ops, &mut marked);
    }
    let mut tree = TagTree::new().with_lang(Some(paper.locale.tag().to_owned()));
    tree.children = sheets.tree.iter().filter_map(|part| node(part, &mut marked)).collect();
    document.set_tag_tree(tree);
    let mut outline = Outline::new();
    outline.push_child(OutlineNode::new(paper.title.clone(), XyzDestination::new(0, Point::from_xy(0.0, 0.0))));
    document.set_outline(outline);
    document.set_metadata(metadata(paper));
    document.finish().map_err(|error| format!("{error:?}").chars().take(500).collect())
}

fn metadata(paper: &Paper) -> Metadata {
    let direction = if paper.locale.dir() == "rtl" { TextDirection::RightToLeft } else { TextDirection::LeftToRight };
    Metadata::new()
        .title(paper.title.clone())
        .authors(vec![paper.merchant.clone()])
        .language(paper.locale.tag().to_owned())
        .document_id(paper.id.clone())
        .creation_date(date(paper.made))
        .text_direction(direction)
}

fn date(at: Seconds) -> DateTime {
    let at = TimeZone::UTC.to_datetime(Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH));
    let small = |n: i8| u8::try_from(n).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn draw(mut page: Page<'_>, ops: &[Op], marked: &mut HashMap<usize, Identifier>) {
    let mut surface = page.surface();
    for op in ops {
        match op {
            Op::Line { at, size, color, line, mark } => {
                begin(&mut surface, *mark, marked);
                surface.set_fill(Some(fill(*color)));
                let mut x = at.0;
                for run in &line.runs {
                    let start = Point::from_xy(x, at.1);
                    surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, *size, false);
                    x += run.width * size;
                }
                surface.end_tagged();
            }
            Op::Bar { rect: (x, y, width, height), color } => {
                let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { continue };
                let mut path = PathBuilder::new();
                path.push_rect(rect);
                let Some(path) = path.finish() else { continue };
                surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
                surface.set_fill(Some(fill(*color)));
                surface.draw_path(&path);
                surface.end_tagged();
            }
            Op::Link { .. } => {}
        }
    }
    surface.finish();
    for op in ops {
        let Op::Link { rect: (x, y, width, height), url, label, leaf } = op else { continue };
        let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { continue };
        let target = Target::Action(Action::Link(LinkAction::new(url.clone())));
        let link = Annotation::new_link(LinkAnnotation::new(rect, target), Some(label.clone()));
        marked.insert(*leaf, page.add_tagged_annotation(link));
    }
    page.finish();
}

fn begin(surface: &mut Surface<'_>, mark: Mark, marked: &mut HashMap<usize, Identifier>) {
    match mark {
        Mark::Beside => {
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        }
        Mark::Leaf(leaf) => {
            marked.insert(leaf, surface.start_tagged(ContentTag::Span(SpanTag::empty())));
        }
    }
}

fn fill(color: Rgb) -> Fill {
    Fill { paint: rgb::Color::new(color.0, color.1, color.2).into(), ..Fill::default() }
}

fn node(part: &Part, marked: &mut HashMap<usize, Identifier>) -> Option<Node> {
    match part {
        Part::Leaf(leaf) => marked.remove(leaf).map(Node::Leaf),
        Part::Group(role, parts) => {
            let children: Vec<Node> = parts.iter().filter_map(|part| node(part, marked)).collect();
            Some(Node::Group(TagGroup::with_children(tag(role), children)))
        }
    }
}

fn tag(role: &Role) -> TagKind {
    match role {
        Role::Title(text) => Tag::Hn(NonZeroU16::MIN, Some(text.clone())).into(),
        Role::Heading(text) => Tag::Hn(NonZeroU16::MIN.saturating_add(1), Some(text.clone())).into(),
        Role::Section => Tag::Section.into(),
        Role::Paragraph => Tag::P.into(),
        Role::Link => Tag::Link.into(),
        Role::Table => Tag::Table.into(),
        Role::Head => Tag::THead.into(),
        Role::Body => Tag::TBody.into(),
        Role::Row => Tag::TR.into(),
        Role::Column => Tag::TH(TableHeaderScope::Column).into(),
        Role::Label => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
    }
}
