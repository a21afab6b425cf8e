//! A customer who is signed in, and what they see and send.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::{Actor, transact};
use serde_json::Value;

use crate::stage::{Merchant, Stage, page, request};

/// A signed-in customer with the form of a page.
pub struct Visitor<'a> {
    pub stage: &'a Stage,
    pub cookie: String,
    pub session: String,
}

impl<'a> Visitor<'a> {
    pub async fn new(stage: &'a Stage, merchant: &Merchant) -> Self {
        Self::of(stage, &merchant.who, &merchant.customer).await
    }

    pub async fn of(stage: &'a Stage, who: &Actor, customer: &str) -> Self {
        let (cookie, session) = stage.sign_in(who, customer).await;
        Self { stage, cookie, session }
    }

    /// Sends a form, and answers where it leads to.
    pub async fn send(&self, function: &str, fields: &str) -> (StatusCode, String) {
        let body = format!("session={}&key=k&{fields}", self.session);
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("accept", "text/html"),
            ("referer", "http://localhost:3000/from"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let (mut parts, _) = request(Method::POST, &format!("/do/app/pages/{function}"), &headers).into_parts();
        parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
        let answer = self.stage.send(Request::from_parts(parts, Body::from(body))).await;
        let location = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        (answer.status(), location.unwrap_or_default())
    }

    /// What a page is made of, as the browser asks for it; or why it is not to be had.
    pub async fn read(&self, function: &str, fields: &str) -> Result<Value, StatusCode> {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let path = format!("/do/app/pages/{function}");
        let request = request(Method::POST, &path, &headers).map(|_| Body::from(fields.to_owned()));
        let (status, text) = self.stage.text(request).await;
        if status != StatusCode::OK {
            return Err(status);
        }
        Ok(serde_json::from_str::<Value>(&text).unwrap()["page"].take())
    }

    /// A page's body: its head carries every label there is.
    pub async fn see(&self, path: &str) -> (StatusCode, String) {
        let (status, html) = self.stage.text(page(path, &self.cookie)).await;
        (status, html.split_once("<body").unwrap().1.to_owned())
    }
}

/// Says it of the merchant's default configuration.
pub async fn allow(stage: &Stage, merchant: &Merchant, features: Value) {
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    transact!(stage.app.db, |tx| configuration::update(tx, &merchant.who, "default", update.clone()).await).unwrap();
}
