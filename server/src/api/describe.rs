//! What an endpoint takes, told by the very code that reads it: a handler is run up to where it would begin to work, and
//! every parameter that it asks for is noted.
//!
//! Readers stop at the first parameter that is missing, so a handler is run again with a sample of that one, until it has
//! asked for all. Objects inside are read whether they are given or not. Nothing is looked up and nothing changes: that
//! comes after [`Call::ready`].

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use billing::{Actor, Error, Result};
use serde_json::{Map, Value, json};

use super::answer::Reply;
use super::call::Call;
use super::expand::Shape;
use crate::state::App;

/// More runs than any handler has parameters that it cannot do without.
const MOST_RUNS: usize = 40;

/// One endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub method: &'static str,
    pub path: &'static str,
    /// By whole name, `items[][price]`, in the order of reading. A name may be read in several ways.
    pub fields: Vec<(String, Field)>,
    /// What it answers; `None` if it refuses everything.
    pub answer: Option<Shape>,
}

/// How one parameter is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    pub forms: Vec<Form>,
    /// Nothing can take its place.
    pub required: bool,
    /// It, or another that takes its place.
    pub needed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    Text,
    Boolean,
    Integer,
    Timestamp,
    /// One word of a closed set.
    Words(Vec<String>),
    /// Words that only say what happens anyway; without any, it is refused.
    Fixed(Vec<String>),
    Texts,
    Object,
    Objects,
    Metadata,
}

impl Field {
    /// Whether it is known only to be refused.
    pub fn is_refused(&self) -> bool {
        self.forms.iter().all(|form| *form == Form::Fixed(Vec::new()))
    }

    fn sample(&self) -> Value {
        match self.forms.last() {
            Some(Form::Boolean) => json!("true"),
            Some(Form::Integer | Form::Timestamp) => json!("1"),
            // The one set of words that no error lists is that of currencies.
            Some(Form::Words(words) | Form::Fixed(words)) => json!(words.first().map_or("usd", String::as_str)),
            Some(Form::Object | Form::Metadata) => json!({}),
            Some(Form::Objects) => json!([{}]),
            Some(Form::Texts) => json!(["x"]),
            Some(Form::Text) | None => json!("x"),
        }
    }
}

/// What has been noted of one endpoint so far; readers hold it while it is being described.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    fields: Vec<(String, Field)>,
    /// What objects that are not given are read with.
    samples: BTreeMap<String, Value>,
    /// Names and words that are asked about.
    questions: Vec<(String, String)>,
    is_object: bool,
    answer: Option<Shape>,
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Field)) {
        let (name, mut noted) = (general(name), self.lock());
        match noted.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, field)) => change(field),
            None => {
                let mut field = Field::default();
                change(&mut field);
                noted.fields.push((name, field));
            }
        }
    }

    /// A parameter is read in this form.
    pub fn read(&self, name: &str, form: Form) {
        self.change(name, |field| {
            // A timestamp is read as the integer that it is.
            let is_known = field.forms.contains(&form)
                || (form == Form::Integer && field.forms.contains(&Form::Timestamp))
                || (form == Form::Text && !field.forms.is_empty());
            if !is_known {
                field.forms.push(form);
            }
        });
    }

    pub fn require(&self, name: &str) {
        self.change(name, |field| field.required = true);
    }

    /// Whether a parameter says this word is asked; it says nothing yet.
    pub fn ask(&self, name: &str, word: &str) {
        let (question, mut noted) = ((name.to_owned(), word.to_owned()), self.lock());
        if !noted.questions.contains(&question) {
            noted.questions.push(question);
        }
    }

    /// A word is read by `parse`, which is tried with what is no word.
    pub fn read_word<T>(&self, name: &str, parse: impl FnOnce(&str, &str) -> Result<T>) {
        let form = match parse("?", name) {
            Ok(_) => Form::Text,
            Err(error) => {
                let text = error.to_string();
                let words = text.split_once("must be one of ").map_or("", |(_, words)| words);
                Form::Words(words.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }
        };
        self.read(name, form);
    }

    /// Whether a parameter that may be an object or a scalar is to be taken for an object this time.
    pub fn is_object(&self) -> bool {
        self.lock().is_object
    }

    /// The fields of an object that is not given, and is read all the same.
    pub fn inside(&self, prefix: &str) -> Map<String, Value> {
        let own = |name: &str| {
            let leaf = name.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?;
            (!leaf.contains('[')).then(|| leaf.to_owned())
        };
        self.lock().samples.iter().filter_map(|(name, value)| Some((own(name)?, value.clone()))).collect()
    }

    /// An object that is not given was read up to here.
    pub fn inside_ended<T>(&self, ended: Result<T>) {
        if let Some(name) = ended.err().and_then(missing) {
            let sample = self.sample(&name);
            self.lock().samples.insert(name, sample);
        }
    }

    /// The parameters have all been read; this is what the answer would be.
    pub fn ready(&self, answer: Shape) -> Error {
        self.lock().answer = Some(answer);
        Error::internal("a description ends here")
    }

    fn sample(&self, name: &str) -> Value {
        self.change(name, |field| field.needed = true);
        let (name, noted) = (general(name), self.lock());
        let field = noted.fields.iter().find(|(known, _)| *known == name);
        field.map_or(json!("x"), |(_, field)| field.sample())
    }
}

/// `items[0][price]` as every element's: `items[][price]`.
fn general(name: &str) -> String {
    let steps = name.split('[').map(|step| step.trim_end_matches(']'));
    let names = steps.map(|step| if step.bytes().all(|b| b.is_ascii_digit()) { "" } else { step });
    names.enumerate().map(|(n, name)| if n == 0 { name.to_owned() } else { format!("[{name}]") }).collect()
}

fn refuses(error: &Error, name: &str) -> bool {
    matches!(error, Error::Invalid { param, code: "parameter_unsupported", .. } if param == name)
}

fn missing(error: Error) -> Option<String> {
    match error {
        Error::Invalid { param, code: "parameter_missing", .. } => Some(param),
        _ => None,
    }
}

/// Runs a handler until it has asked for everything: once as if a parameter that may be an object were none, once as if
/// it were.
pub async fn endpoint<F, Fut>(app: &App, who: &Actor, method: &'static str, path: &'static str, work: F) -> Endpoint
where
    F: FnOnce(Call) -> Fut + Clone,
    Fut: Future<Output = Result<Reply>>,
{
    let notes = Notes::default();
    let run = async |given: &Value| {
        let fields = given.as_object().cloned().unwrap_or_default();
        work.clone()(Call::to_describe(app.clone(), who.clone(), fields, notes.clone())).await.err()
    };
    let mut given = Value::Null;
    for is_object in [false, true] {
        notes.lock().is_object = is_object;
        given = json!({});
        for _ in 0..MOST_RUNS {
            let before = notes.lock().samples.len();
            match run(&given).await.and_then(missing) {
                Some(name) => place(&mut given, &name, notes.sample(&name)),
                None if notes.lock().samples.len() == before => break,
                None => {}
            }
        }
    }
    let questions = notes.lock().questions.clone();
    for (name, word) in questions {
        let mut said = given.clone();
        place(&mut said, &name, json!(word));
        if !run(&said).await.is_some_and(|error| refuses(&error, &name)) {
            notes.read(&name, Form::Fixed(vec![word]));
        }
    }
    let noted = std::mem::take(&mut *notes.lock());
    Endpoint { method, path, fields: noted.fields, answer: noted.answer }
}

/// Puts a value where its name says, into objects and lists that are there.
fn place(target: &mut Value, name: &str, value: Value) {
    let (step, rest) = name.split_once('[').map_or((name, ""), |(step, rest)| (step, rest));
    let step = step.trim_end_matches(']');
    let slot = match target {
        Value::Object(fields) => Some(fields.entry(step).or_insert(json!({}))),
        Value::Array(list) => step.parse().ok().and_then(|n: usize| list.get_mut(n)),
        _ => None,
    };
    match slot {
        Some(slot) if rest.is_empty() => *slot = value,
        Some(slot) => place(slot, rest, value),
        None => {}
    }
}
