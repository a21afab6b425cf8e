//! Colours in sRGB, and whether they can be told apart: WCAG's contrast, in integers.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Red, green, blue; `#3534a0` as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rgb(pub u8, pub u8, pub u8);

pub const BLACK: Rgb = Rgb(0, 0, 0);
pub const WHITE: Rgb = Rgb(255, 255, 255);
/// Steps on the way from a colour to black or white.
const STEPS: i64 = 64;

impl Rgb {
    /// `#35a` or `#3355aa`.
    pub fn parse(text: &str, param: &str) -> Result<Self> {
        Self::try_from(text.to_owned()).map_err(|message| Error::invalid(param, message))
    }

    /// Relative luminance in millionths (WCAG 2.2; the weights are those of sRGB).
    fn luminance(self) -> i64 {
        let linear = |channel: u8| i64::from(LINEAR[usize::from(channel)]);
        (2_126 * linear(self.0) + 7_152 * linear(self.1) + 722 * linear(self.2)) / 10_000
    }

    /// The contrast of two colours in hundredths, rounded down: 100 to 2,100.
    pub fn contrast(self, other: Self) -> i64 {
        let (a, b) = (self.luminance() + 50_000, other.luminance() + 50_000);
        100 * a.max(b) / a.min(b)
    }

    /// The nearest colour on the way to black or to white with at least this contrast (in tenths) to every ground; where
    /// the grounds are so different that there is none, whichever of the two has more.
    pub fn readable_on(self, grounds: &[Self], tenths: i64) -> Self {
        let least = |color: Self| grounds.iter().map(|ground| color.contrast(*ground)).min().unwrap_or(2_100);
        let end = if least(BLACK) > least(WHITE) { BLACK } else { WHITE };
        let way = (0..=STEPS).map(|step| self.mixed(end, step));
        let mut fine = way.skip_while(|color| least(*color) < 10 * tenths);
        fine.next().unwrap_or(end)
    }

    /// Black or white, whichever can be read better on this.
    pub fn words(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// White for black, and black for anything else.
    pub fn opposite(self) -> Self {
        if self == BLACK { WHITE } else { BLACK }
    }

    /// The nearest colour on the way to black or to white that a page can be written on: words have at least 15 : 1 on
    /// it, so that quieter words, lines and the colours of states can be told from it too.
    pub fn as_ground(self) -> Self {
        let end = if self.words() == WHITE { BLACK } else { WHITE };
        let mut way = (0..=STEPS).map(|step| self.mixed(end, step));
        way.find(|ground| ground.contrast(ground.words()) >= 1_500).unwrap_or(end)
    }

    /// This, if the same words can be read on it and on `ground`; else `ground`.
    pub fn together_with(self, ground: Self) -> Self {
        let least = |words: Self| self.contrast(words).min(ground.contrast(words));
        if least(BLACK).max(least(WHITE)) >= 700 { self } else { ground }
    }

    /// This many of 64 steps on the way to another colour.
    pub fn mixed(self, end: Self, step: i64) -> Self {
        let mix = |from: u8, to: u8| {
            let value = (i64::from(from) * (STEPS - step) + i64::from(to) * step + STEPS / 2) / STEPS;
            u8::try_from(value).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, end.0), mix(self.1, end.1), mix(self.2, end.2))
    }
}

impl From<Rgb> for String {
    fn from(color: Rgb) -> Self {
        format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
    }
}

impl TryFrom<String> for Rgb {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = || format!("Invalid color: {text} is not written like #3355aa.");
        let digits = text.strip_prefix('#').filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(refuse)?;
        let [_, red, green, blue] = number.to_be_bytes();
        match digits.map(str::len) {
            Some(6) => Ok(Self(red, green, blue)),
            Some(3) => Ok(Self((green & 15) * 17, (blue >> 4) * 17, (blue & 15) * 17)),
            _ => Err(refuse()),
        }
    }
}

/// What a channel of sRGB is in linear light, in millionths.
#[rustfmt::skip]
const LINEAR: [u32; 256] = [
    0, 304, 607, 911, 1_214, 1_518, 1_821, 2_125, 2_428, 2_732, 3_035, 3_347,
    3_677, 4_025, 4_391, 4_777, 5_182, 5_605, 6_049, 6_512, 6_995, 7_499, 8_023, 8_568,
    9_134, 9_721, 10_330, 10_960, 11_612, 12_286, 12_983, 13_702, 14_444, 15_209, 15_996, 16_807,
    17_642, 18_500, 19_382, 20_289, 21_219, 22_174, 23_153, 24_158, 25_187, 26_241, 27_321, 28_426,
    29_557, 30_713, 31_896, 33_105, 34_340, 35_601, 36_889, 38_204, 39_546, 40_915, 42_311, 43_735,
    45_186, 46_665, 48_172, 49_707, 51_269, 52_861, 54_480, 56_128, 57_805, 59_511, 61_246, 63_010,
    64_803, 66_626, 68_478, 70_360, 72_272, 74_214, 76_185, 78_187, 80_220, 82_283, 84_376, 86_500,
    88_656, 90_842, 93_059, 95_307, 97_587, 99_899, 102_242, 104_616, 107_023, 109_462, 111_932, 114_435,
    116_971, 119_538, 122_139, 124_772, 127_438, 130_136, 132_868, 135_633, 138_432, 141_263, 144_128, 147_027,
    149_960, 152_926, 155_926, 158_961, 162_029, 165_132, 168_269, 171_441, 174_647, 177_888, 181_164, 184_475,
    187_821, 191_202, 194_618, 198_069, 201_556, 205_079, 208_637, 212_231, 215_861, 219_526, 223_228, 226_966,
    230_740, 234_551, 238_398, 242_281, 246_201, 250_158, 254_152, 258_183, 262_251, 266_356, 270_498, 274_677,
    278_894, 283_149, 287_441, 291_771, 296_138, 300_544, 304_987, 309_469, 313_989, 318_547, 323_143, 327_778,
    332_452, 337_164, 341_914, 346_704, 351_533, 356_400, 361_307, 366_253, 371_238, 376_262, 381_326, 386_429,
    391_572, 396_755, 401_978, 407_240, 412_543, 417_885, 423_268, 428_690, 434_154, 439_657, 445_201, 450_786,
    456_411, 462_077, 467_784, 473_531, 479_320, 485_150, 491_021, 496_933, 502_886, 508_881, 514_918, 520_996,
    527_115, 533_276, 539_479, 545_724, 552_011, 558_340, 564_712, 571_125, 577_580, 584_078, 590_619, 597_202,
    603_827, 610_496, 617_207, 623_960, 630_757, 637_597, 644_480, 651_406, 658_375, 665_387, 672_443, 679_542,
    686_685, 693_872, 701_102, 708_376, 715_694, 723_055, 730_461, 737_910, 745_404, 752_942, 760_525, 768_151,
    775_822, 783_538, 791_298, 799_103, 806_952, 814_847, 822_786, 830_770, 838_799, 846_873, 854_993, 863_157,
    871_367, 879_622, 887_923, 896_269, 904_661, 913_099, 921_582, 930_111, 938_686, 947_307, 955_973, 964_686,
    973_445, 982_251, 991_102, 1_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn color(text: &str) -> Rgb {
        Rgb::parse(text, "color").unwrap()
    }

    #[test]
    fn colors_are_hexadecimal() {
        assert_eq!(color("#35a"), Rgb(0x33, 0x55, 0xaa));
        assert_eq!(color("#3355AA"), Rgb(0x33, 0x55, 0xaa));
        assert_eq!(String::from(color("#0a0b0c")), "#0a0b0c");
        for wrong in ["", "#", "35a", "#35", "#3355", "#3355aax", "#3355ag", "red", "#+355aa", "#３５a"] {
            assert!(Rgb::parse(wrong, "accent_color").is_err(), "{wrong}");
        }
    }

    /// The pairs of WCAG's own explanations and of common checkers.
    #[test]
    fn contrast_is_wcags() {
        assert_eq!(BLACK.contrast(WHITE), 2_100);
        assert_eq!(WHITE.contrast(WHITE), 100);
        assert_eq!(color("#777777").contrast(WHITE), 447);
        assert_eq!(color("#767676").contrast(WHITE), 454);
        assert_eq!(color("#ff0000").contrast(WHITE), 399);
        assert_eq!(color("#0000ff").contrast(WHITE), 859);
    }

    #[test]
    fn a_color_that_is_fine_stays() {
        assert_eq!(color("#3534a0").readable_on(&[WHITE], 45), color("#3534a0"));
        assert_ne!(color("#ffee00").readable_on(&[WHITE], 45), color("#ffee00"));
    }

    proptest! {
        #[test]
        fn words_can_be_read_on_any_color(r: u8, g: u8, b: u8) {
            let ground = Rgb(r, g, b);
            prop_assert!(ground.words().contrast(ground) >= 450);
        }

        #[test]
        fn any_color_can_be_made_readable(r: u8, g: u8, b: u8, ground in prop::array::uniform3(any::<u8>())) {
            let ground = Rgb(ground[0], ground[1], ground[2]);
            prop_assert!(Rgb(r, g, b).readable_on(&[ground], 45).contrast(ground) >= 450);
        }

        #[test]
        fn any_color_can_be_made_a_ground(r: u8, g: u8, b: u8) {
            let ground = Rgb(r, g, b).as_ground();
            prop_assert!(ground.contrast(ground.words()) >= 1_500);
            prop_assert_eq!(ground.as_ground(), ground);
        }

        #[test]
        fn text_says_the_same_color(r: u8, g: u8, b: u8) {
            prop_assert_eq!(color(&String::from(Rgb(r, g, b))), Rgb(r, g, b));
        }
    }
}
