//! What tax IDs look like, by type: the list of docs.stripe.com/billing/customer/tax-ids with its examples.
//!
//! A check of form only: what a register says of a number is its verification.

use crate::error::{Error, Result};

/// How a tax ID of one type is written in one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// `eu_vat`; a type that several countries share stands here once for each.
    pub r#type: &'static str,
    /// ISO 3166-1 alpha-2; `None` where the number is no single country's.
    pub country: Option<&'static str>,
    pub example: &'static str,
    masks: &'static str,
}

impl Format {
    /// Whether a value looks like this, whatever stands between its letters and digits.
    pub fn fits(&self, value: &str) -> bool {
        let value = bare(value);
        if self.masks == ANY {
            return (4..=20).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric());
        }
        if self.masks.is_empty() {
            return covers(&mask_of(self.example), &value);
        }
        self.masks.split(' ').any(|mask| covers(mask, &value))
    }
}

/// Every format, by type and country.
pub fn all() -> impl Iterator<Item = Format> {
    FORMATS.iter().map(|&(kind, country, example, masks)| Format {
        r#type: kind,
        country: Some(country).filter(|country| !country.is_empty()),
        example,
        masks,
    })
}

/// The country that a value of this type is of; refuses a type that there is not, and a value that is none of its.
pub(super) fn check(kind: &str, value: &str) -> Result<Option<&'static str>> {
    let formats: Vec<Format> = all().filter(|format| format.r#type == kind).collect();
    let Some(first) = formats.first() else {
        return Err(Error::invalid("type", format!("Invalid type: {kind} is no type of tax ID.")));
    };
    let Some(format) = formats.iter().find(|format| format.fits(value)) else {
        let message = format!("Invalid value for {kind}: it is written like {}.", first.example);
        return Err(Error::Invalid { param: "value".into(), code: "tax_id_invalid", message });
    };
    Ok(format.country)
}

/// The letters and digits of a value, in upper case: the rest is how people group them.
pub(super) fn bare(value: &str) -> String {
    value.chars().filter(|c| !" .-/".contains(*c)).flat_map(char::to_uppercase).collect()
}

fn mask_of(example: &str) -> String {
    bare(example).chars().map(|c| if c.is_ascii_digit() { '9' } else { 'A' }).collect()
}

fn covers(mask: &str, value: &str) -> bool {
    let fits = |(m, c): (char, char)| match m {
        '9' => c.is_ascii_digit(),
        // Mexico's RFC counts & as a letter.
        'A' => c.is_alphabetic() || c == '&',
        '*' => c.is_ascii_alphanumeric(),
        literal => literal.to_ascii_uppercase() == c,
    };
    mask.chars().count() == value.chars().count() && mask.chars().zip(value.chars()).all(fits)
}

/// A number whose form is not published.
const ANY: &str = "~";

/// Type, country, example, masks. A mask has `9` for a digit, `A` for a letter, `*` for either, and small letters for
/// themselves; no mask means: like the example.
const FORMATS: &[(&str, &str, &str, &str)] = &[
    ("ad_nrt", "AD", "A-123456-Z", ""),
    ("ae_trn", "AE", "123456789012345", ""),
    ("al_tin", "AL", "J12345678N", ""),
    ("am_tin", "AM", "02538904", ""),
    ("ao_tin", "AO", "5123456789", ""),
    ("ar_cuit", "AR", "12-3456789-01", ""),
    ("au_abn", "AU", "12345678912", ""),
    ("au_acn", "AU", "123456789", ""),
    ("au_arn", "AU", "123456789123", ""),
    ("au_wpn", "AU", "123456789", ""),
    ("aw_tin", "AW", "12345678", ""),
    ("az_tin", "AZ", "0123456789", ""),
    ("ba_tin", "BA", "123456789012", "999999999999 9999999999999"),
    ("bb_tin", "BB", "1123456789012", ""),
    ("bd_bin", "BD", "123456789-0123", ""),
    ("bf_ifu", "BF", "12345678A", ""),
    ("bg_uic", "BG", "123456789", "999999999 9999999999999"),
    ("bh_vat", "BH", "123456789012345", ""),
    ("bj_ifu", "BJ", "1234567890123", ""),
    ("bo_tin", "BO", "123456789", ""),
    // Letters since July 2026.
    ("br_cnpj", "BR", "01.234.456/5432-10", "************99"),
    ("br_cpf", "BR", "123.456.789-87", ""),
    ("bs_tin", "BS", "123.456.789", ""),
    ("bw_vat", "BW", "C12345678901", ANY),
    ("by_tin", "BY", "123456789", ""),
    ("ca_bn", "CA", "123456789", ""),
    ("ca_gst_hst", "CA", "123456789RT0002", "999999999rt9999"),
    ("ca_pst_bc", "CA", "PST-1234-5678", "pst99999999"),
    ("ca_pst_mb", "CA", "123456-7", ""),
    ("ca_pst_sk", "CA", "1234567", ""),
    ("ca_qst", "CA", "1234567890TQ1234", "9999999999tq9999"),
    ("cd_nif", "CD", "A0123456M", ""),
    ("ch_uid", "CH", "CHE-123.456.789 HR", "che999999999 che999999999hr"),
    ("ch_vat", "CH", "CHE-123.456.789 MWST", "che999999999 che999999999mwst che999999999tva che999999999iva"),
    ("ci_vat", "CI", "1234567A", ""),
    ("cl_tin", "CL", "12.345.678-K", "99999999* 9999999*"),
    ("cm_niu", "CM", "M123456789000L", ""),
    ("cn_tin", "CN", "123456789012345678", "****************** 999999999999999"),
    ("co_nit", "CO", "123.456.789-0", "9999999999 999999999"),
    ("cr_tin", "CR", "1-234-567890", "9999999999 999999999 99999999999 999999999999"),
    ("cv_nif", "CV", "213456789", ""),
    ("cz_dic", "CZ", "CZ12345678", "99999999 999999999 9999999999 cz99999999 cz999999999 cz9999999999"),
    ("de_stn", "DE", "1234567890", "9999999999 99999999999 9999999999999"),
    ("do_rcn", "DO", "123-4567890-1", "99999999999 999999999"),
    ("ec_ruc", "EC", "1234567890001", ""),
    ("eg_tin", "EG", "123456789", ""),
    ("es_cif", "ES", "A12345678", "A9999999* 99999999A"),
    ("et_tin", "ET", "1234567890", ""),
    ("eu_oss_vat", "", "EU123456789", "eu999999999 im9999999999"),
    ("eu_vat", "DE", "DE123456789", "de999999999"),
    ("eu_vat", "AT", "ATU12345678", "atu99999999"),
    ("eu_vat", "BE", "BE0123456789", "be9999999999"),
    ("eu_vat", "BG", "BG0123456789", "bg999999999 bg9999999999"),
    ("eu_vat", "CY", "CY12345678Z", "cy99999999A"),
    ("eu_vat", "CZ", "CZ1234567890", "cz99999999 cz999999999 cz9999999999"),
    ("eu_vat", "DK", "DK12345678", "dk99999999"),
    ("eu_vat", "EE", "EE123456789", "ee999999999"),
    ("eu_vat", "ES", "ESA1234567Z", "es*9999999*"),
    ("eu_vat", "FI", "FI12345678", "fi99999999"),
    ("eu_vat", "FR", "FRAB123456789", "fr**999999999"),
    ("eu_vat", "GB", "XI123456789", "xi999999999 xi999999999999 xigd999 xiha999"),
    ("eu_vat", "GR", "EL123456789", "el999999999"),
    ("eu_vat", "HR", "HR12345678912", "hr99999999999"),
    ("eu_vat", "HU", "HU12345678", "hu99999999"),
    ("eu_vat", "IE", "IE1234567AB", "ie9*99999A ie9999999AA"),
    ("eu_vat", "IT", "IT12345678912", "it99999999999"),
    ("eu_vat", "LT", "LT123456789123", "lt999999999 lt999999999999"),
    ("eu_vat", "LU", "LU12345678", "lu99999999"),
    ("eu_vat", "LV", "LV12345678912", "lv99999999999"),
    ("eu_vat", "MT", "MT12345678", "mt99999999"),
    ("eu_vat", "NL", "NL123456789B12", "nl999999999b99"),
    ("eu_vat", "PL", "PL1234567890", "pl9999999999"),
    ("eu_vat", "PT", "PT123456789", "pt999999999"),
    (
        "eu_vat",
        "RO",
        "RO1234567891",
        "ro99 ro999 ro9999 ro99999 ro999999 ro9999999 ro99999999 ro999999999 ro9999999999",
    ),
    ("eu_vat", "SE", "SE123456789123", "se999999999999"),
    ("eu_vat", "SI", "SI12345678", "si99999999"),
    ("eu_vat", "SK", "SK1234567891", "sk9999999999"),
    ("fo_vat", "FO", "123456", ""),
    ("fr_siren", "FR", "123456789", ""),
    ("fr_siret", "FR", "12345678901234", ""),
    ("fr_spi", "FR", "1234567890123", ""),
    ("gb_vat", "GB", "GB123456789", "gb999999999 gb999999999999 gbgd999 gbha999"),
    ("ge_vat", "GE", "123456789", ""),
    ("gh_tin", "GH", "C0001234567", "A********** gha9999999999"),
    ("gi_tin", "GI", "123456", ANY),
    ("gn_nif", "GN", "123456789", ""),
    ("hk_br", "HK", "12345678", "99999999 99999999999"),
    ("hr_oib", "HR", "12345678901", ""),
    ("hu_tin", "HU", "12345678-1-23", ""),
    ("ic_nif", "ES", "A12345678", "A9999999* 99999999A"),
    ("id_npwp", "ID", "012.345.678.9-012.345", "999999999999999 9999999999999999"),
    ("il_vat", "IL", "000012345", ""),
    ("in_gst", "IN", "12ABCDE3456FGZH", "99AAAAA9999A***"),
    ("is_kt", "IS", "123456-7890", ""),
    ("is_vat", "IS", "123456", "99999 999999"),
    ("it_cf", "IT", "RSSMRA80A01H501U", "AAAAAA**A**A***A 99999999999"),
    ("jp_cn", "JP", "1234567891234", ""),
    ("jp_rn", "JP", "12345", ""),
    ("jp_trn", "JP", "T1234567891234", "t9999999999999"),
    ("ke_pin", "KE", "P000111111A", ""),
    ("kg_tin", "KG", "12345678901234", ""),
    ("kh_tin", "KH", "1001-123456789", "9999999999999 A999999999"),
    ("kr_brn", "KR", "123-45-67890", ""),
    ("kz_bin", "KZ", "123456789012", ""),
    ("la_tin", "LA", "123456789-000", "999999999999 999999999"),
    ("li_uid", "LI", "CHE123456789", "che999999999"),
    ("li_vat", "LI", "12345", ""),
    ("lk_vat", "LK", "123456789-1234", ""),
    ("ma_vat", "MA", "12345678", ""),
    ("md_cf", "MD", "1234567890123", ""),
    ("md_vat", "MD", "1234567", ""),
    ("me_pib", "ME", "12345678", ""),
    ("mk_vat", "MK", "MK1234567890123", "mk9999999999999 9999999999999"),
    ("mr_nif", "MR", "12345678", ""),
    ("mu_vat", "MU", "12345678", "99999999 vat99999999"),
    ("mx_rfc", "MX", "ABC010203AB9", "AAA999999*** AAAA999999***"),
    ("my_frp", "MY", "12345678", ""),
    ("my_itn", "MY", "C 1234567890", "A9999999999 A99999999999 AA9999999999 AA99999999999"),
    ("my_sst", "MY", "A12-3456-78912345", ""),
    ("mz_nuit", "MZ", "123456789", ""),
    ("ng_tin", "NG", "12345678-0001", "999999999999 9999999999 9999999999999"),
    ("no_vat", "NO", "123456789MVA", "999999999mva"),
    ("no_voec", "NO", "1234567", ""),
    ("np_pan", "NP", "123456789", ""),
    ("nz_bn", "NZ", "1234567890123", ""),
    ("nz_gst", "NZ", "123456789", "99999999 999999999"),
    ("om_vat", "OM", "OM1234567890", "om9999999999"),
    ("pe_ruc", "PE", "12345678901", ""),
    ("ph_tin", "PH", "123456789012", "999999999 999999999999 99999999999999"),
    ("pl_nip", "PL", "1234567890", ""),
    ("pt_nif", "PT", "123456789", ""),
    ("py_ruc", "PY", "1234567-8", "999999* 9999999* 99999999* 999999999"),
    ("ro_tin", "RO", "1234567890123", ANY),
    ("rs_pib", "RS", "123456789", ""),
    ("ru_inn", "RU", "1234567891", "9999999999 999999999999"),
    ("ru_kpp", "RU", "123456789", "9999**999"),
    ("sa_vat", "SA", "123456789012345", ""),
    ("sg_gst", "SG", "M12345678X", "A99999999A A*9999999A 99999999A 999999999A A99AA9999A"),
    ("sg_uen", "SG", "123456789F", "99999999A 999999999A A99AA9999A"),
    ("si_tin", "SI", "12345678", ""),
    ("sm_coe", "SM", "SM12345", "99999 sm99999"),
    ("sn_ninea", "SN", "12345672A2", "99999999A9 999999999A9 9999999999A9"),
    ("sr_fin", "SR", "1234567890", ""),
    ("sv_nit", "SV", "1234-567890-123-4", ""),
    ("th_vat", "TH", "1234567891234", ""),
    ("tj_tin", "TJ", "123456789", ""),
    ("tr_tin", "TR", "0123456789", "9999999999 99999999999"),
    ("tt_bir", "TT", "123456789", "999999999 9999999999"),
    ("tt_vat", "TT", "123456", ""),
    ("tw_vat", "TW", "12345678", ""),
    ("tz_vat", "TZ", "12345678A", ""),
    ("ua_vat", "UA", "123456789", "999999999 9999999999 999999999999"),
    ("ug_tin", "UG", "1014751879", ""),
    ("us_ein", "US", "12-3456789", ""),
    ("uy_ruc", "UY", "123456789012", ""),
    ("uz_tin", "UZ", "123456789", ""),
    ("uz_vat", "UZ", "123456789012", ""),
    ("ve_rif", "VE", "A-12345678-9", ""),
    ("vn_tin", "VN", "1234567890", "9999999999 9999999999999"),
    ("za_vat", "ZA", "4123456789", ""),
    ("zm_tin", "ZM", "1004751879", ""),
    ("zw_tin", "ZW", "1234567890", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_its_own_format_and_country() {
        for format in all() {
            assert_eq!(check(format.r#type, format.example), Ok(format.country), "{format:?}");
            assert_eq!(check(format.r#type, &format.example.to_lowercase()), Ok(format.country), "{format:?}");
            let mut longer = format.example.to_owned();
            longer.push_str("00000000000000000");
            assert!(check(format.r#type, &longer).is_err(), "{format:?}");
            assert!(check(format.r#type, "").is_err(), "{format:?}");
        }
    }

    #[test]
    fn the_types_are_stripes() {
        let mut types: Vec<&str> = all().map(|format| format.r#type).collect();
        types.dedup();
        assert_eq!(types.len(), 135);
        assert!(types.is_sorted());
    }

    #[test]
    fn what_does_not_look_like_its_type_is_refused() {
        for (kind, value) in [
            ("eu_vat", "123456789"),
            ("eu_vat", "DE12345678"),
            ("eu_vat", "GB123456789"),
            ("eu_vat", "DE12345678٣"),
            ("gb_vat", "DE123456789"),
            ("us_ein", "12-345678X"),
            ("ch_vat", "CHE-123.456.789 XYZ"),
            ("in_gst", "1ABCDE3456FGZH2"),
        ] {
            let error = check(kind, value).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { param, code: "tax_id_invalid", .. } if param == "value"),
                "{value}"
            );
        }
        assert!(matches!(check("xx_vat", "1").unwrap_err(), Error::Invalid { param, .. } if param == "type"));
        assert_eq!(check("eu_vat", "de 123.456-789"), Ok(Some("DE")));
        assert_eq!(check("eu_vat", "RO12"), Ok(Some("RO")));
    }
}
