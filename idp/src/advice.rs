//! Advice on new passwords, in the kinds that pages have words for. The only place that names zxcvbn.
//! NIST SP 800-63B-4 §3.1.1.2: guidance, never a rule.

use serde::Serialize;
use zxcvbn::feedback::{Suggestion, Warning};
use zxcvbn::{Score, zxcvbn};

/// Why a password is easier to guess than it looks, or what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// Keys beside each other.
    Rows,
    Repeats,
    Sequences,
    /// Often chosen by others, or much like one that is.
    Common,
    Names,
    Dates,
    /// Capitals, signs for letters, words written backwards.
    Tricks,
    /// Another word or two.
    Words,
}

/// What to say about a password; nothing where it takes 10⁸ guesses and more.
pub fn on(password: &str, names: &[String]) -> Vec<Advice> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let entropy = zxcvbn(password, &names);
    if entropy.score() >= Score::Three {
        return Vec::new();
    }
    let feedback = entropy.feedback();
    let warning = feedback.and_then(|f| f.warning()).map(of_warning);
    let suggestions = feedback.map(|f| f.suggestions()).unwrap_or_default().iter().map(|s| of_suggestion(*s));
    let mut advice: Vec<Advice> = warning.into_iter().chain(suggestions).collect();
    // More words help whatever is wrong; said last, and once.
    advice.retain(|one| *one != Advice::Words);
    advice.push(Advice::Words);
    let mut said = Vec::new();
    advice.retain(|one| {
        !said.contains(one) && {
            said.push(*one);
            true
        }
    });
    advice
}

const fn of_warning(warning: Warning) -> Advice {
    use Warning as W;
    match warning {
        W::StraightRowsOfKeysAreEasyToGuess | W::ShortKeyboardPatternsAreEasyToGuess => Advice::Rows,
        W::RepeatsLikeAaaAreEasyToGuess | W::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => Advice::Repeats,
        W::SequencesLikeAbcAreEasyToGuess => Advice::Sequences,
        W::RecentYearsAreEasyToGuess | W::DatesAreOftenEasyToGuess => Advice::Dates,
        W::NamesAndSurnamesByThemselvesAreEasyToGuess | W::CommonNamesAndSurnamesAreEasyToGuess => Advice::Names,
        W::ThisIsATop10Password
        | W::ThisIsATop100Password
        | W::ThisIsACommonPassword
        | W::ThisIsSimilarToACommonlyUsedPassword => Advice::Common,
        W::AWordByItselfIsEasyToGuess => Advice::Words,
    }
}

const fn of_suggestion(suggestion: Suggestion) -> Advice {
    use Suggestion as S;
    match suggestion {
        S::UseALongerKeyboardPatternWithMoreTurns => Advice::Rows,
        S::AvoidRepeatedWordsAndCharacters => Advice::Repeats,
        S::AvoidSequences => Advice::Sequences,
        S::AvoidRecentYears | S::AvoidYearsThatAreAssociatedWithYou | S::AvoidDatesAndYearsThatAreAssociatedWithYou => {
            Advice::Dates
        }
        S::CapitalizationDoesntHelpVeryMuch
        | S::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase
        | S::ReversedWordsArentMuchHarderToGuess
        | S::PredictableSubstitutionsDontHelpVeryMuch => Advice::Tricks,
        S::UseAFewWordsAvoidCommonPhrases | S::NoNeedForSymbolsDigitsOrUppercaseLetters | S::AddAnotherWordOrTwo => {
            Advice::Words
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Advice, on};

    #[test]
    fn a_good_password_needs_none_and_a_weak_one_gets_words() {
        let names = vec!["ada".to_owned(), "Northwind".to_owned()];
        assert_eq!(on("quiet harbour ninety paper moths", &names), []);
        assert_eq!(on("qwertyuiopasdfg", &names).last(), Some(&Advice::Words));
        assert!(on("P@ssw0rdP@ssw0rd", &names).contains(&Advice::Repeats));
        // Bounded work for the longest password.
        on(&"aB3$".repeat(256), &names);
    }
}
