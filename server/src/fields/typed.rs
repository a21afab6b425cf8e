//! What was typed, read and checked before it goes to the gateway.

use app::pages::fields::{Known, OPERATORS, Problem};
use billing::Seconds;
use billing::customer::payment_method::MethodType;
use billing::gateway::Entered;
use billing::period::add_months;
use serde::Deserialize;

/// The form as it is sent. Only the fields of its kind are in it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Form {
    number: String,
    expiry: String,
    cvc: String,
    name: String,
    iban: String,
    routing: String,
    account: String,
    operator: String,
    phone: String,
    accept: Option<String>,
    default: Option<String>,
}

/// What stands in it that is no number, to be shown again.
impl Form {
    pub fn known(&self) -> Known {
        Known { name: self.name.clone(), operator: self.operator.clone(), default: self.default.is_some() }
    }

    pub fn is_default(&self) -> bool {
        self.default.is_some()
    }

    pub fn name(&self) -> Option<String> {
        Some(self.name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// What goes to the gateway, or what is wrong, field by field. `now` is the customer's.
    pub fn check(&self, kind: MethodType, now: Seconds) -> Result<Entered, Vec<Problem>> {
        let mut wrong = Vec::new();
        let mut entered = Entered {
            kind,
            number: String::new(),
            cvc: String::new(),
            exp_month: 0,
            exp_year: 0,
            routing: String::new(),
            operator: String::new(),
        };
        match kind {
            MethodType::Card => self.card(&mut entered, now, &mut wrong),
            MethodType::SepaDebit => {
                entered.number = letters(&self.iban);
                note(&mut wrong, is_iban(&entered.number), Problem::Iban);
            }
            MethodType::UsBankAccount => {
                (entered.routing, entered.number) = (digits(&self.routing), digits(&self.account));
                note(&mut wrong, is_routing(&entered.routing), Problem::Routing);
                note(&mut wrong, (4..=17).contains(&entered.number.len()), Problem::Account);
            }
            MethodType::MobileMoney => {
                entered.operator = self.operator.clone();
                entered.number = format!("+{}", digits(&self.phone));
                note(&mut wrong, OPERATORS.contains(&entered.operator.as_str()), Problem::Operator);
                let is_phone = self.phone.trim().starts_with('+') && (9..=16).contains(&entered.number.len());
                note(&mut wrong, is_phone, Problem::Phone);
            }
        }
        let is_named =
            self.name().is_some_and(|name| name.chars().count() <= 256 && !name.chars().any(char::is_control));
        note(&mut wrong, is_named, Problem::Name);
        let debited = matches!(kind, MethodType::SepaDebit | MethodType::UsBankAccount);
        note(&mut wrong, !debited || self.accept.is_some(), Problem::Accept);
        if wrong.is_empty() { Ok(entered) } else { Err(wrong) }
    }

    fn card(&self, entered: &mut Entered, now: Seconds, wrong: &mut Vec<Problem>) {
        (entered.number, entered.cvc) = (digits(&self.number), digits(&self.cvc));
        note(wrong, (12..=19).contains(&entered.number.len()) && luhn(&entered.number), Problem::Number);
        let is_amex = entered.number.starts_with("34") || entered.number.starts_with("37");
        note(wrong, entered.cvc.len() == if is_amex { 4 } else { 3 }, Problem::Cvc);
        let Some((month, year)) = expiry(&self.expiry) else { return wrong.push(Problem::Expiry) };
        (entered.exp_month, entered.exp_year) = (month, year);
        let over = add_months(Seconds(0), (year - 1970) * 12 + month).is_ok_and(|end| end <= now);
        note(wrong, !over, Problem::Expired);
    }
}

fn note(wrong: &mut Vec<Problem>, is_right: bool, problem: Problem) {
    if !is_right {
        wrong.push(problem);
    }
}

/// Figures of any script that browsers may put in, without what stands between them.
fn digits(text: &str) -> String {
    let figure = |c: char| match c {
        '0'..='9' => Some(c),
        '٠'..='٩' => char::from_digit(u32::from(c) - u32::from('٠'), 10),
        '۰'..='۹' => char::from_digit(u32::from(c) - u32::from('۰'), 10),
        _ => None,
    };
    text.chars().filter_map(figure).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// `12 / 30`, `1230`, `12/2030`.
fn expiry(text: &str) -> Option<(i64, i64)> {
    let all = digits(text);
    let (month, year) = match all.len() {
        // `3/30`: nobody is born in the thirtieth month.
        3 => all.split_at_checked(1)?,
        4 | 6 => all.split_at_checked(2)?,
        _ => return None,
    };
    let (month, year): (i64, i64) = (month.parse().ok()?, year.parse().ok()?);
    let year = if year < 100 { year + 2000 } else { year };
    ((1..=12).contains(&month) && (2000..=2099).contains(&year)).then_some((month, year))
}

/// ISO/IEC 7812-1, annex B.
fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let figure = u32::from(byte.wrapping_sub(b'0'));
            let doubled = figure * 2;
            if place % 2 == 0 { figure } else { doubled / 10 + doubled % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: the remainder by 97 is one, once the first four have gone to the end and letters are numbers.
fn is_iban(iban: &str) -> bool {
    let is_shaped = (15..=34).contains(&iban.len())
        && iban.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && iban.bytes().skip(2).take(2).all(|b| b.is_ascii_digit());
    let Some((head, tail)) = iban.split_at_checked(4).filter(|_| is_shaped) else { return false };
    let rest = tail.chars().chain(head.chars()).filter_map(|c| c.to_digit(36)).fold(0_u64, |rest, value| {
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + u64::from(value)) % 97
    });
    rest == 1
}

/// The check of the American Bankers Association: 3, 7, 1.
fn is_routing(routing: &str) -> bool {
    let weighed = routing.bytes().zip([3, 7, 1].into_iter().cycle());
    let sum: u32 = weighed.map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight).sum();
    routing.len() == 9 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = Seconds(1_795_176_000);

    fn card(number: &str, expiry: &str, cvc: &str) -> Result<Entered, Vec<Problem>> {
        let [number, expiry, cvc] = [number, expiry, cvc].map(str::to_owned);
        Form { number, expiry, cvc, name: "Maya".into(), ..Form::default() }.check(MethodType::Card, NOW)
    }

    #[test]
    fn a_card_is_read_however_it_is_typed() {
        let read = card("4242 4242-4242 4242", "3/30", "123").unwrap();
        assert_eq!((read.number.as_str(), read.exp_month, read.exp_year), ("4242424242424242", 3, 2030));
        assert!(card("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "11 / 2026", "123").is_ok());
        assert!(card("378282246310005", "12/30", "1234").is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_card_is_said_by_its_field() {
        let wrong = |number: &str, expiry: &str, cvc: &str| card(number, expiry, cvc).unwrap_err();
        assert_eq!(wrong("4242424242424241", "12/30", "123"), [Problem::Number]);
        assert_eq!(wrong("", "12/30", "123"), [Problem::Number]);
        assert_eq!(wrong("4242424242424242", "13/30", "123"), [Problem::Expiry]);
        assert_eq!(wrong("4242424242424242", "10/26", "123"), [Problem::Expired]);
        assert_eq!(wrong("4242424242424242", "12/30", "12"), [Problem::Cvc]);
        assert_eq!(wrong("378282246310005", "12/30", "123"), [Problem::Cvc]);
    }

    #[test]
    fn accounts_are_checked_by_their_own_sums() {
        for good in
            ["DE89370400440532013000", "AT611904300234573201", "FR1420041010050500013M02606", "GB82WEST12345698765432"]
        {
            assert!(is_iban(good), "{good}");
        }
        for bad in ["DE89370400440532013001", "89DE370400440532013000", "DE", ""] {
            assert!(!is_iban(bad), "{bad}");
        }
        assert!(is_routing("110000000") && is_routing("021000021") && !is_routing("110000001") && !is_routing("1100"));
    }

    #[test]
    fn a_debit_needs_a_name_and_leave() {
        let form = Form { iban: "de89 3704 0044 0532 0130 00".into(), ..Form::default() };
        assert_eq!(form.check(MethodType::SepaDebit, NOW).unwrap_err(), [Problem::Name, Problem::Accept]);
        let form = Form { name: "Maya".into(), accept: Some("on".into()), ..form };
        assert_eq!(form.check(MethodType::SepaDebit, NOW).unwrap().number, "DE89370400440532013000");
    }

    #[test]
    fn a_phone_has_its_country_and_an_operator() {
        let form = |operator: &str, phone: &str| {
            let [operator, phone] = [operator, phone].map(str::to_owned);
            Form { operator, phone, name: "Maya".into(), ..Form::default() }.check(MethodType::MobileMoney, NOW)
        };
        assert_eq!(form(OPERATORS[0], "+254 700 000 100").unwrap().number, "+254700000100");
        assert_eq!(form(OPERATORS[0], "0700 000 100").unwrap_err(), [Problem::Phone]);
        assert_eq!(form("Nobody", "+254700000100").unwrap_err(), [Problem::Operator]);
    }

    #[test]
    fn what_is_shown_again_holds_no_number() {
        let form =
            Form { number: "4242424242424242".into(), cvc: "123".into(), name: "Maya".into(), ..Form::default() };
        assert!(!format!("{:?} {:?}", form.known(), form.check(MethodType::Card, NOW)).contains("4242"));
    }
}
