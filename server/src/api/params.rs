//! Reads parameters one by one, leniently in form ("true", "5", 5) and strictly in name: what nobody read is refused.

use std::collections::BTreeMap;

use billing::{Error, MetadataPatch, Patch, Result, Seconds};
use serde_json::{Map, Value};

use super::describe::{Form, Notes};
use super::known::Known;

/// One object of parameters, at the top of a request or inside another.
///
/// Reading takes a parameter out; [`Params::finish`] refuses what is left. A `null` of JSON is the empty string that
/// SDKs send for it.
#[derive(Debug, Clone)]
pub struct Params {
    /// `items[0]` for an object inside; empty at the top.
    prefix: String,
    fields: Map<String, Value>,
    known: Known,
    /// Where readings are noted, while an endpoint is being described.
    notes: Option<Notes>,
}

impl Params {
    pub fn new(fields: Map<String, Value>) -> Self {
        Self { prefix: String::new(), fields, known: Known::default(), notes: None }
    }

    /// The same, of an endpoint whose parameters Stripe knows.
    pub fn of(self, known: Known) -> Self {
        Self { known, ..self }
    }

    /// The same, noted.
    pub fn noted(self, notes: Notes) -> Self {
        Self { notes: Some(notes), ..self }
    }

    pub fn notes(&self) -> Option<Notes> {
        self.notes.clone()
    }

    fn note(&self, name: &str, form: Form) {
        if let Some(notes) = &self.notes {
            notes.read(&self.name(name), form);
        }
    }

    /// The whole name of a parameter as the caller wrote it: `items[0][price]`.
    pub fn name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.prefix) }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub fn is_object(&self, name: &str) -> bool {
        self.fields.get(name).map_or(self.notes.as_ref().is_some_and(Notes::is_object), Value::is_object)
    }

    /// Whether a parameter says exactly this.
    pub fn is_text(&self, name: &str, text: &str) -> bool {
        if let Some(notes) = &self.notes {
            notes.ask(&self.name(name), text);
        }
        self.fields.get(name).and_then(Value::as_str) == Some(text)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.shift_remove(name).map(|value| if value.is_null() { Value::String(String::new()) } else { value })
    }

    /// The text of a scalar that must not be empty where it is given.
    fn scalar(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => {
                let text = read_text(&value, &self.name(name))?;
                if text.is_empty() { Err(empty(self.name(name))) } else { Ok(Some(text)) }
            }
        }
    }

    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.note(name, Form::Text);
        self.scalar(name)
    }

    pub fn required_text(&mut self, name: &str) -> Result<String> {
        self.require(name);
        self.text(name)?.ok_or_else(|| missing(self.name(name)))
    }

    /// Text that `""` clears.
    pub fn patch_text(&mut self, name: &str) -> Result<Patch<String>> {
        self.note(name, Form::Text);
        self.patch(name, |value, name| read_text(&value, name))
    }

    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>> {
        self.note(name, Form::Boolean);
        let text = self.scalar(name)?;
        text.map(|text| match text.as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            other => Err(Error::invalid(self.name(name), format!("Invalid boolean: {other}"))),
        })
        .transpose()
    }

    pub fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        self.note(name, Form::Integer);
        let text = self.scalar(name)?;
        text.map(|text| {
            text.parse().map_err(|_| Error::Invalid {
                param: self.name(name),
                code: "parameter_invalid_integer",
                message: format!("Invalid integer: {text}"),
            })
        })
        .transpose()
    }

    /// Unix seconds.
    pub fn timestamp(&mut self, name: &str) -> Result<Option<Seconds>> {
        // The year 9999: what lies beyond is a timestamp in milliseconds, or a mistake.
        const LATEST: i64 = 253_402_300_799;
        self.note(name, Form::Timestamp);
        match self.integer(name)? {
            Some(at) if !(0..=LATEST).contains(&at) => {
                Err(Error::invalid(self.name(name), "Invalid timestamp: must be an integer Unix timestamp in seconds."))
            }
            at => Ok(at.map(Seconds)),
        }
    }

    /// One word of a closed set: `word("status", Status::parse)`.
    pub fn word<T>(&mut self, name: &str, parse: impl FnOnce(&str, &str) -> Result<T>) -> Result<Option<T>> {
        match (self.scalar(name)?, &self.notes) {
            (Some(text), _) => parse(&text, &self.name(name)).map(Some),
            (None, Some(notes)) => {
                notes.read_word(&self.name(name), parse);
                Ok(None)
            }
            (None, None) => Ok(None),
        }
    }

    pub fn patch_word<T>(&mut self, name: &str, parse: impl FnOnce(&str, &str) -> Result<T>) -> Result<Patch<T>> {
        if let Some(notes) = self.notes.as_ref().filter(|_| !self.has(name)) {
            notes.read_word(&self.name(name), parse);
            return Ok(Patch::Keep);
        }
        self.patch(name, |value, name| parse(&read_text(&value, name)?, name))
    }

    /// An object inside, read whole by `read`.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Params) -> Result<T>) -> Result<Option<T>> {
        match self.patch_object(name, read)? {
            Patch::Keep => Ok(None),
            Patch::Clear => Err(empty(self.name(name))),
            Patch::Set(value) => Ok(Some(value)),
        }
    }

    pub fn required_object<T>(&mut self, name: &str, read: impl FnOnce(&mut Params) -> Result<T>) -> Result<T> {
        self.require(name);
        self.object(name, read)?.ok_or_else(|| missing(self.name(name)))
    }

    /// An object inside that `""` clears.
    pub fn patch_object<T>(&mut self, name: &str, read: impl FnOnce(&mut Params) -> Result<T>) -> Result<Patch<T>> {
        self.note(name, Form::Object);
        let (known, notes) = (self.known, self.notes());
        if let Some(notes) = notes.as_ref().filter(|_| !self.has(name)) {
            notes.inside_ended(read(&mut self.inside(self.name(name), notes)));
            return Ok(Patch::Keep);
        }
        self.patch(name, |value, name| read_object(value, name.to_owned(), known, notes, read))
    }

    /// A list of objects, each read whole by `read`.
    pub fn objects<T>(&mut self, name: &str, read: impl FnMut(&mut Params) -> Result<T>) -> Result<Option<Vec<T>>> {
        match self.patch_objects(name, read)? {
            Patch::Keep => Ok(None),
            Patch::Clear => Ok(Some(Vec::new())),
            Patch::Set(list) => Ok(Some(list)),
        }
    }

    /// A list of objects that `""` clears.
    pub fn patch_objects<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Params) -> Result<T>,
    ) -> Result<Patch<Vec<T>>> {
        self.note(name, Form::Objects);
        let (known, notes) = (self.known, self.notes());
        if let Some(notes) = notes.as_ref().filter(|_| !self.has(name)) {
            notes.inside_ended(read(&mut self.inside(format!("{}[0]", self.name(name)), notes)));
            return Ok(Patch::Keep);
        }
        self.patch(name, |value, name| {
            let each = read_list(value, name)?.into_iter();
            each.map(|(name, value)| read_object(value, name, known, notes.clone(), &mut read)).collect()
        })
    }

    /// A list of scalars.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        match self.patch_texts(name)? {
            Patch::Keep => Ok(None),
            Patch::Clear => Err(empty(self.name(name))),
            Patch::Set(list) => Ok(Some(list)),
        }
    }

    /// A list of scalars that `""` clears.
    pub fn patch_texts(&mut self, name: &str) -> Result<Patch<Vec<String>>> {
        self.note(name, Form::Texts);
        self.patch(name, |value, name| {
            let each = read_list(value, name)?.into_iter().map(|(name, value)| {
                let text = read_text(&value, &name)?;
                if text.is_empty() { Err(empty(name)) } else { Ok(text) }
            });
            each.collect()
        })
    }

    /// `metadata`: `""` clears all, a key set to `""` removes that key.
    pub fn metadata(&mut self) -> Result<MetadataPatch> {
        self.metadata_named("metadata")
    }

    pub fn metadata_named(&mut self, name: &str) -> Result<MetadataPatch> {
        self.note(name, Form::Metadata);
        self.patch(name, |value, name| {
            let fields = match value {
                Value::Object(fields) => fields,
                // Keys that look like positions were taken for a list.
                Value::Array(list) => list.into_iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
                _ => return Err(Error::invalid(name, "Invalid object: metadata is a set of keys and values.")),
            };
            let each = fields.into_iter().map(|(key, value)| {
                let text = if value.is_null() { String::new() } else { read_text(&value, &format!("{name}[{key}]"))? };
                Ok((key, Some(text).filter(|text| !text.is_empty())))
            });
            each.collect::<Result<BTreeMap<_, _>>>()
        })
    }

    fn require(&self, name: &str) {
        if let Some(notes) = &self.notes {
            notes.require(&self.name(name));
        }
    }

    /// An object that is not given, to be read for what it would take.
    fn inside(&self, prefix: String, notes: &Notes) -> Params {
        Params { fields: notes.inside(&prefix), prefix, known: self.known, notes: Some(notes.clone()) }
    }

    fn patch<T>(&mut self, name: &str, read: impl FnOnce(Value, &str) -> Result<T>) -> Result<Patch<T>> {
        match self.take(name) {
            None => Ok(Patch::Keep),
            Some(Value::String(text)) if text.is_empty() => Ok(Patch::Clear),
            Some(value) => Ok(Patch::Set(read(value, &self.name(name))?)),
        }
    }

    /// Refuses parameters that are known, and not supported, beyond those of [`Known`].
    pub fn unsupported(&mut self, names: &[&str]) -> Result<()> {
        for name in names {
            self.fixed(name, &[])?;
        }
        Ok(())
    }

    /// A parameter that may only say what happens anyway.
    pub fn fixed(&mut self, name: &str, happens_anyway: &[&str]) -> Result<()> {
        self.note(name, Form::Fixed(happens_anyway.iter().map(|word| (*word).to_owned()).collect()));
        match self.take(name) {
            None => Ok(()),
            Some(Value::String(text)) if text.is_empty() => Ok(()),
            Some(value) if read_text(&value, name).is_ok_and(|text| happens_anyway.contains(&text.as_str())) => Ok(()),
            Some(_) => Err(unsupported(self.name(name))),
        }
    }

    /// Refuses what nobody has read: what does not exist, then what Stripe has and Portico has not. Clearing what is
    /// never set is no request.
    pub fn finish(self) -> Result<()> {
        let names = self.fields.iter().map(|(key, value)| (self.name(key), value));
        let (known, unknown): (Vec<_>, Vec<_>) = names.partition(|(name, _)| self.known.has(name));
        let unknown: Vec<String> = unknown.into_iter().map(|(name, _)| name).collect();
        match unknown.as_slice() {
            [] => {}
            [name] => return Err(not_there(name, format!("Received unknown parameter: {name}"))),
            [name, ..] => return Err(not_there(name, format!("Received unknown parameters: {}", unknown.join(", ")))),
        }
        let is_said = |value: &Value| !(value.is_null() || value.as_str() == Some(""));
        match known.into_iter().find(|(_, value)| is_said(value)) {
            None => Ok(()),
            Some((name, _)) => Err(unsupported(name)),
        }
    }
}

fn read_object<T>(
    value: Value,
    prefix: String,
    known: Known,
    notes: Option<Notes>,
    read: impl FnOnce(&mut Params) -> Result<T>,
) -> Result<T> {
    let Value::Object(fields) = value else {
        return Err(Error::invalid(prefix, "Invalid object: expected named parameters in brackets."));
    };
    let mut inside = Params { prefix, fields, known, notes };
    let value = read(&mut inside)?;
    inside.finish()?;
    Ok(value)
}

/// The elements with their names; a list with holes (`a[5]` alone) keeps the numbers it was sent with.
fn read_list(value: Value, name: &str) -> Result<Vec<(String, Value)>> {
    match value {
        Value::Array(list) => Ok(list.into_iter().enumerate().map(|(n, v)| (format!("{name}[{n}]"), v)).collect()),
        Value::Object(fields) if fields.keys().all(|key| key.bytes().all(|b| b.is_ascii_digit())) => {
            let mut list: Vec<(String, Value)> = fields.into_iter().collect();
            list.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            Ok(list.into_iter().map(|(n, value)| (format!("{name}[{n}]"), value)).collect())
        }
        _ => Err(Error::invalid(name, "Invalid array")),
    }
}

fn read_text(value: &Value, name: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) => Err(Error::invalid(name, "Invalid string: a list was given.")),
        Value::Object(_) => Err(Error::invalid(name, "Invalid string: an object was given.")),
    }
}

pub fn missing(param: impl Into<String>) -> Error {
    let param = param.into();
    let message = format!("Missing required param: {param}.");
    Error::Invalid { param, code: "parameter_missing", message }
}

/// A parameter or value of Stripe's that is known here, and not supported.
pub fn unsupported(param: impl Into<String>) -> Error {
    let param = param.into();
    let message = format!("This parameter, or this value of it, is not supported here: {param}");
    Error::Invalid { param, code: "parameter_unsupported", message }
}

fn empty(param: String) -> Error {
    let message = format!(
        "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; however \
         '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
    );
    Error::Invalid { param, code: "parameter_invalid_empty", message }
}

fn not_there(param: &str, message: String) -> Error {
    Error::Invalid { param: param.into(), code: "parameter_unknown", message }
}
