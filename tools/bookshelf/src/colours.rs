//! The colours of the processes on a page: the terminal's, by name, as classes of the style sheet.

use transcript::colour_of;

/// The class of a voice: `voice-blue`. `book/theme/colours.css` gives each its colours, light and dark.
pub(crate) fn class_of(voice: &str) -> String {
    format!("voice-{}", name_of(voice))
}

/// The name of a voice's colour: `blue`.
pub(crate) fn name_of(voice: &str) -> String {
    format!("{:?}", colour_of(voice)).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_has_the_colour_that_it_has_on_a_terminal() {
        let voices = ["parent", "child", "copy", "worker 3", "worker 4", "worker 5"].map(name_of);
        assert_eq!(voices, ["blue", "green", "magenta", "yellow", "cyan", "red"]);
        assert_eq!(class_of("primary"), "voice-blue");
    }
}
