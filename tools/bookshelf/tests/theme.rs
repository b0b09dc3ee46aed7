//! The theme: colours that can be read.

use std::collections::BTreeMap;
use std::fs;

use harness::root;

fn style() -> String {
    fs::read_to_string(root().join("book/theme/colours.css")).expect("colours")
}

/// The colours of one theme: the properties in the block behind `selector` that are six hexadecimal digits.
fn colours(style: &str, selector: &str) -> BTreeMap<String, [f64; 3]> {
    let block = style.split_once(&format!("\n{selector} {{")).unwrap_or_else(|| panic!("{selector} is there")).1;
    let block = block.split_once('}').expect("it ends").0;
    let properties = block.split(';').filter_map(|property| {
        let (name, value) = property.trim().strip_prefix("--")?.split_once(':')?;
        let digits = value.trim().strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map(|part| f64::from(part) / 255.0).ok();
        Some((name.to_owned(), [part(0)?, part(2)?, part(4)?]))
    });
    properties.collect()
}

/// How much light a colour gives, as WCAG 2 has it.
fn light([red, green, blue]: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_colour_can_be_read_on_every_ground() {
    let style = style();
    let words = ["ink", "quiet", "link", "blue", "green", "magenta", "yellow", "cyan", "red"];
    let code = ["keyword", "string", "number", "type", "name", "comment"].map(|kind| format!("code-{kind}"));
    for theme in [":root", ".coal"] {
        let colours = colours(&style, theme);
        for word in words.iter().map(|word| (*word).to_owned()).chain(code.clone()) {
            for ground in ["paper", "panel", "terminal"] {
                let found = contrast(colours[&word], colours[ground]);
                assert!(found >= 4.5, "{theme}: --{word} on --{ground} has only {found:.2} to 1");
            }
        }
        assert!(contrast(colours["ink"], colours["mark"]) >= 4.5, "{theme}: what is marked can be read");
    }
}

/// The dark colours stand twice: for the theme, and for a page without JavaScript, which cannot choose one.
#[test]
fn the_dark_colours_are_the_same_without_javascript() {
    let style = style();
    assert_eq!(colours(&style, ".coal"), colours(&style, "  html:not(.js)"));
}

/// The six that `transcript::colour_of` gives.
#[test]
fn every_colour_of_a_voice_has_its_class() {
    let style = style();
    for number in 0..7 {
        let voice = if number == 0 { "parent".to_owned() } else { format!("worker {number}") };
        let colour = format!("{:?}", transcript::colour_of(&voice)).to_lowercase();
        assert!(style.contains(&format!(".voice-{colour} {{ --voice: var(--{colour}); }}")), "{voice} is {colour}");
    }
}
