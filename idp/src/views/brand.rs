//! A realm's one colour: made legible, and turned into a stylesheet of a few variables.
//!
//! WCAG 2.2 §1.4.3 (4.5 : 1) and its definition of relative luminance.

/// Red, green, blue, 0 to 255.
pub type Rgb = [u8; 3];

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];
/// The raised surface of the dark scheme, the lightest that text stands on there (`--raised` in `idp.css`).
const DARK: Rgb = [0x1d, 0x22, 0x2b];

/// A colour and what derives from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Filled buttons: the realm's colour itself.
    pub brand: Rgb,
    /// Text on it: black or white, whichever is read more easily; one of the two always reaches 4.5 : 1.
    pub on_brand: Rgb,
    /// The filled button under the pointer: away from its text.
    pub hover: Rgb,
    /// Links and icons on light surfaces, those tinted with the brand too.
    pub ink_light: Rgb,
    /// Links and icons on dark surfaces.
    pub ink_dark: Rgb,
}

/// `#rrggbb` or `rrggbb`.
pub fn parse(text: &str) -> Option<Rgb> {
    let hex = text.strip_prefix('#').unwrap_or(text);
    let all_hex = hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let [_, r, g, b] = u32::from_str_radix(hex, 16).ok().filter(|_| all_hex)?.to_be_bytes();
    Some([r, g, b])
}

/// Where the stylesheet of a colour lies under `/assets/`.
pub fn path(rgb: Rgb) -> String {
    format!("brand/{}.css", hex(rgb))
}

/// The stylesheet of a colour. `idp.css` has the same variables for the default.
pub fn css(rgb: Rgb) -> String {
    let Palette { brand, on_brand, hover, ink_light, ink_dark } = palette(rgb);
    format!(
        ":root{{--brand:#{};--on-brand:#{};--brand-hover:#{};--ink-light:#{};--ink-dark:#{}}}\n",
        hex(brand),
        hex(on_brand),
        hex(hover),
        hex(ink_light),
        hex(ink_dark)
    )
}

/// What derives from a colour.
pub fn palette(brand: Rgb) -> Palette {
    let on_brand = if contrast(brand, WHITE) >= contrast(brand, BLACK) { WHITE } else { BLACK };
    let away = if on_brand == WHITE { BLACK } else { WHITE };
    Palette {
        brand,
        on_brand,
        hover: mix(brand, away, 0.12),
        ink_light: until_legible(brand, BLACK, mix(WHITE, brand, 0.16)),
        ink_dark: until_legible(brand, WHITE, mix(DARK, brand, 0.16)),
    }
}

/// `color` moved towards `end`, no more than needed for 4.5 : 1 on `ground` (and a little, since browsers mix the
/// ground in another colour space).
fn until_legible(color: Rgb, end: Rgb, ground: Rgb) -> Rgb {
    (0..=50)
        .map(|step| mix(color, end, f64::from(step) / 50.0))
        .find(|ink| contrast(*ink, ground) >= 4.8)
        .unwrap_or(end)
}

fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let ([r, g, b], [to_r, to_g, to_b]) = (from, to);
    [(r, to_r), (g, to_g), (b, to_b)].map(|(a, z)| (f64::from(a) + (f64::from(z) - f64::from(a)) * share).round() as u8)
}

/// WCAG contrast of two colours, 1 to 21.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = rgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn hex([r, g, b]: Rgb) -> String {
    format!("{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_legible_on_and_beside_thirty_brands() {
        let extremes = ["#000000", "#ffffff", "#ffff00", "#00ff00", "#0000ff", "#808080"].map(|c| parse(c).unwrap());
        // 24 more, around the colour wheel in a dark, a middle and a light row.
        let wheel = (0..24u32).map(|i| {
            let (turn, level) = (f64::from(i % 8) / 8.0 * std::f64::consts::TAU, [0.3, 0.6, 0.95][i as usize / 8]);
            [0.0, 2.0, 4.0].map(|phase: f64| (level * (0.5 + 0.5 * (turn + phase).cos()) * 255.0) as u8)
        });
        for brand in extremes.into_iter().chain(wheel) {
            let palette = palette(brand);
            assert_eq!(palette.brand, brand);
            assert!(contrast(palette.on_brand, brand) >= 4.5, "{brand:?}");
            assert!(contrast(palette.on_brand, palette.hover) >= 4.5, "{brand:?}");
            for (ink, ground) in [(palette.ink_light, WHITE), (palette.ink_dark, DARK)] {
                assert!(contrast(ink, ground) >= 4.5, "{brand:?}");
                assert!(contrast(ink, mix(ground, brand, 0.16)) >= 4.5, "{brand:?}");
            }
        }
    }

    #[test]
    fn takes_six_hex_digits_and_nothing_else() {
        assert_eq!(parse("#3b5bdb"), Some([0x3b, 0x5b, 0xdb]));
        for bad in ["", "#fff", "+12345", "3b5bdb;", "3b5bdb}a{", "#3b5bdbff", "red"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
