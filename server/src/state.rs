//! What every door of the server needs: the books, the gateway and the settings.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use billing::Db;
use billing::gateway::PaymentGateway;

use crate::config::Settings;
use crate::outbound::Outbound;

#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub gateway: Arc<dyn PaymentGateway>,
    pub settings: Arc<Settings>,
    /// To whom merchants send us.
    pub outbound: Outbound,
    /// Set once the process was told to stop: `/readyz` then says so, and a balancer sends nothing new.
    pub draining: Arc<AtomicBool>,
}
