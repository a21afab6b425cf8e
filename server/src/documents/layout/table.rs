//! The lines of a document in their columns, on as many pages as they take, and what they come to.

use app::paper::Row;
use app::parts::sheet::Sum;

use super::{BODY, Column, GAP, HAIR, INK, Mark, Part, Role, SMALL, STRONG, Setter, Side, Style, group, wrapped};
use crate::documents::text::{self, Line};

const NUMBER: f32 = 92.0;
const QUANTITY: f32 = 48.0;
/// How many lines one entry of a table takes at most.
const LONGEST: usize = 24;

impl Setter<'_> {
    /// Description, quantity, price of one, amount.
    fn columns(&self) -> [Column; 4] {
        let (amount, unit) = (self.width() - NUMBER, self.width() - 2.0 * NUMBER - GAP);
        let quantity = unit - QUANTITY - GAP;
        let end = |x: f32, width: f32| Column { x, width, side: Side::End };
        let item = Column { x: 0.0, width: quantity - GAP, side: Side::Start };
        [item, end(quantity, QUANTITY), end(unit, NUMBER), end(amount, NUMBER)]
    }

    pub(super) fn lines(&mut self) -> Part {
        self.y += 22.0;
        self.need(70.0);
        let head = self.table_head(true);
        let mut rows = Vec::new();
        for row in &self.paper.rows {
            rows.push(self.row(row));
        }
        group(Role::Table, vec![group(Role::Head, vec![group(Role::Row, head)]), group(Role::Body, rows)])
    }

    /// The names of the columns; on pages that go on with a table they are said again beside it.
    fn table_head(&mut self, is_first: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for (title, column) in self.paper.columns.iter().zip(self.columns()) {
            let line = text::shape(title, SMALL.weight);
            let leaf = if is_first { Mark::Leaf(self.leaf()) } else { Mark::Beside };
            self.line(line, SMALL, column, self.y, leaf);
            if let Mark::Leaf(leaf) = leaf {
                parts.push(group(Role::Column, vec![Part::Leaf(leaf)]));
            }
        }
        self.y += SMALL.leading + 4.0;
        self.rule(self.whole(), self.y, 0.9, INK);
        self.y += 1.0;
        parts
    }

    fn row(&mut self, row: &Row) -> Part {
        let [item, quantity, unit, amount] = self.columns();
        let mut name = wrapped(&row.name, BODY, item);
        name.truncate(LONGEST);
        let details: Vec<Line> = row.details.iter().flat_map(|text| wrapped(text, SMALL, item)).take(LONGEST).collect();
        let numbers = [(&row.quantity, quantity), (&row.unit, unit), (&row.amount, amount)];
        let numbers = numbers.map(|(text, column)| (wrapped(text, BODY, column), column));
        let high = |lines: &Vec<Line>, style: Style| lines.iter().map(|_| style.leading).sum::<f32>();
        let tallest = numbers.iter().map(|(lines, _)| high(lines, BODY)).fold(0.0, f32::max);
        let height = tallest.max(high(&name, BODY) + high(&details, SMALL)) + 15.0;
        if self.need(height) {
            self.table_head(false);
        }
        let top = self.y + 7.0;
        let (mut said, below) = self.block(name, BODY, item, top);
        said.extend(self.block(details, SMALL, item, below).0);
        let mut cells = vec![group(Role::Cell, said)];
        for (lines, column) in numbers {
            cells.push(group(Role::Cell, self.block(lines, BODY, column, top).0));
        }
        self.y += height;
        self.rule(self.whole(), self.y - 0.5, 0.5, HAIR);
        group(Role::Row, cells)
    }

    /// What the lines come to, kept together, at the end's side.
    pub(super) fn sums(&mut self) -> Part {
        let start = self.width() * 0.42;
        let label = Column { x: start, width: self.width() - start - NUMBER - GAP, side: Side::Start };
        let amount = Column { x: self.width() - NUMBER, width: NUMBER, side: Side::End };
        let whole = Column { x: start, width: self.width() - start, side: Side::Start };
        let lines = |sum: &Sum| wrapped(&sum.label, style(sum), label).len().max(1);
        let height = |sum: &Sum| lines(sum) as f32 * BODY.leading + 9.0;
        self.y += 6.0;
        self.need(self.paper.sums.iter().map(height).sum::<f32>().min(400.0));
        let mut rows = Vec::new();
        for (index, sum) in self.paper.sums.iter().enumerate() {
            self.need(height(sum));
            if index > 0 {
                self.rule(whole, self.y, 0.5, HAIR);
            }
            let top = self.y + 4.5;
            let (said, first) = self.text(&sum.label, style(sum), label, top);
            let (number, second) = self.text(&sum.amount, style(sum), amount, top);
            rows.push(group(Role::Row, vec![group(Role::Label, said), group(Role::Cell, number)]));
            self.y = first.max(second) + 4.5;
        }
        group(Role::Table, vec![group(Role::Body, rows)])
    }
}

fn style(sum: &Sum) -> Style {
    if sum.strong { STRONG } else { BODY }
}
