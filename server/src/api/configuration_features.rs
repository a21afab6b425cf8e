//! The `features` of a portal configuration, read field by field into the JSON that the books merge.
//!
//! Values keep their form (`""` clears, lists replace); which ones are allowed is the books' to say.

use billing::Result;
use billing::{Error, Patch};
use serde_json::{Map, Value};

use super::params::Params;

pub fn features(params: &mut Params) -> Result<Value> {
    let mut all = Fields::default();
    all.object(params, "customer_update", |own, fields| {
        fields.texts(own, "allowed_updates")?;
        fields.boolean(own, "enabled")
    })?;
    all.object(params, "embedding", |own, fields| fields.texts(own, "parent_origins"))?;
    all.object(params, "invoice_history", |own, fields| fields.boolean(own, "enabled"))?;
    all.object(params, "invoice_payment", |own, fields| fields.boolean(own, "enabled"))?;
    all.object(params, "payment_method_update", |own, fields| {
        fields.texts(own, "accepted_types")?;
        fields.text(own, "payment_method_configuration")?;
        fields.boolean(own, "enabled")
    })?;
    all.object(params, "subscription_cancel", subscription_cancel)?;
    all.object(params, "subscription_pause", subscription_pause)?;
    all.object(params, "subscription_update", subscription_update)?;
    all.object(params, "subscription_create", |own, fields| {
        fields.boolean(own, "enabled")?;
        products(own, fields)
    })?;
    Ok(Value::Object(all.0))
}

fn subscription_cancel(params: &mut Params, fields: &mut Fields) -> Result<()> {
    fields.boolean(params, "enabled")?;
    fields.text(params, "mode")?;
    fields.text(params, "proration_behavior")?;
    fields.object(params, "cancellation_reason", |own, fields| {
        fields.boolean(own, "enabled")?;
        fields.texts(own, "feedback_options")?;
        fields.texts(own, "options")?;
        fields.boolean(own, "required")
    })?;
    fields.objects(params, "offers", |own, fields| {
        fields.text(own, "type")?;
        fields.text(own, "coupon")?;
        fields.integer(own, "free_days")?;
        fields.text(own, "price")?;
        fields.texts(own, "reasons")
    })?;
    fields.object(params, "offer_limit", |own, fields| {
        fields.integer(own, "count")?;
        fields.integer(own, "months")
    })?;
    fields.text(params, "retention_coupon_id")
}

fn subscription_pause(params: &mut Params, fields: &mut Fields) -> Result<()> {
    fields.boolean(params, "enabled")?;
    fields.boolean(params, "at_period_end")?;
    fields.object(params, "duration", |own, fields| {
        fields.text(own, "type")?;
        fields.objects(own, "interval_options", |own, fields| {
            fields.text(own, "interval")?;
            fields.integer(own, "interval_count")
        })
    })
}

fn subscription_update(params: &mut Params, fields: &mut Fields) -> Result<()> {
    fields.boolean(params, "enabled")?;
    fields.boolean(params, "all_products")?;
    fields.text(params, "billing_cycle_anchor")?;
    fields.texts(params, "default_allowed_updates")?;
    fields.text(params, "proration_behavior")?;
    fields.text(params, "trial_update_behavior")?;
    products(params, fields)?;
    fields.object(params, "schedule_at_period_end", |own, fields| {
        fields.objects(own, "conditions", |own, fields| fields.text(own, "type"))
    })?;
    fields.text(params, "charge_timing")?;
    fields.objects(params, "transitions", |own, fields| {
        fields.text(own, "from")?;
        fields.text(own, "to")?;
        fields.text(own, "effective")?;
        fields.integer(own, "cooldown_days")
    })
}

fn products(params: &mut Params, fields: &mut Fields) -> Result<()> {
    fields.objects(params, "products", |own, fields| {
        fields.text(own, "product")?;
        fields.texts(own, "prices")?;
        fields.object(own, "adjustable_quantity", |own, fields| {
            fields.boolean(own, "enabled")?;
            fields.integer(own, "minimum")?;
            fields.integer(own, "maximum")
        })
    })
}

/// The JSON being made of one object of parameters.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put<T: Into<Value>>(&mut self, name: &str, patch: Patch<T>) {
        match patch {
            Patch::Keep => {}
            Patch::Clear => _ = self.0.insert(name.into(), Value::from("")),
            Patch::Set(value) => _ = self.0.insert(name.into(), value.into()),
        }
    }

    fn boolean(&mut self, params: &mut Params, name: &str) -> Result<()> {
        self.put(name, params.boolean(name)?.map_or(Patch::Keep, Patch::Set));
        Ok(())
    }

    fn integer(&mut self, params: &mut Params, name: &str) -> Result<()> {
        self.put(name, params.integer(name)?.map_or(Patch::Keep, Patch::Set));
        Ok(())
    }

    fn text(&mut self, params: &mut Params, name: &str) -> Result<()> {
        self.put(name, params.patch_text(name)?);
        Ok(())
    }

    fn texts(&mut self, params: &mut Params, name: &str) -> Result<()> {
        self.put(name, params.patch_texts(name)?);
        Ok(())
    }

    fn object(
        &mut self,
        params: &mut Params,
        name: &str,
        read: impl FnOnce(&mut Params, &mut Fields) -> Result<()>,
    ) -> Result<()> {
        let patch = params.patch_object(name, |own| read_fields(own, read))?;
        self.put(name, patch);
        Ok(())
    }

    fn objects(
        &mut self,
        params: &mut Params,
        name: &str,
        mut read: impl FnMut(&mut Params, &mut Fields) -> Result<()>,
    ) -> Result<()> {
        let patch = params.patch_objects(name, |own| read_fields(own, &mut read))?;
        self.put(name, patch);
        Ok(())
    }
}

fn read_fields(params: &mut Params, read: impl FnOnce(&mut Params, &mut Fields) -> Result<()>) -> Result<Value, Error> {
    let mut fields = Fields::default();
    read(params, &mut fields)?;
    Ok(Value::Object(fields.0))
}
