"""Figures of other languages become the words that num2words and CLDR know, as the language uses them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.spoken_figures import figures_of
from ultraandchat.dialogue.wording import wording
from ultraandchat.engines.chatterbox.variants import LANGUAGES


def spelled(text: str, language: str) -> str:
    figures = figures_of(language)
    assert figures is not None
    return " ".join(figures.spell(text).split())


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "1.234,5 km und 1 km", "eintausendzweihundertvierunddreißig Komma fünf Kilometer und ein Kilometer"),
        ("de", "1 Tasse, 1 Apfel, Kapitel 1 ist", "eine Tasse, ein Apfel, Kapitel eins ist"),
        ("de", "am 3. November, der 3. November, 3. November", "am dritten November, der dritte November, dritter November"),
        ("de", "Ich habe 3. Danach", "Ich habe drei. Danach"),
        ("de", "das 2. kleine Haus", "das zweite kleine Haus"),
        ("de", "1999 und 2024", "neunzehnhundertneunundneunzig und zweitausendvierundzwanzig"),
        ("de", "99.99.2024", "neunundneunzig Punkt neunundneunzig Punkt zweitausendvierundzwanzig"),
        ("de", "25:61", "fünfundzwanzig einundsechzig"),
        ("de", "3.14 und MP3", "drei Punkt vierzehn und MP drei"),
        ("de", "5 € – 10 €", "fünf Euro bis zehn Euro"),
        ("de", "am 24. und 25. Dezember, vom 1.–3. Mai, am 24.12.", "am vierundzwanzigsten und fünfundzwanzigsten Dezember, vom ersten bis dritten Mai, am vierundzwanzigsten Dezember"),
        ("de", "um 7.30 Uhr in der 2. Woche", "um sieben Uhr dreißig in der zweiten Woche"),
        ("de", "die 1990er, 3fach, 19,- €, 1,5 M€", "die neunzehnhundertneunziger, dreifach, neunzehn Euro, eins Komma fünf Millionen Euro"),
        ("de", "1/2 Liter, 1/2 Stunde, 1/2 Jahr", "ein halber Liter, eine halbe Stunde, ein halbes Jahr"),
        ("de", "0221 / 123 45-67", "null zwei zwei eins, eins zwei drei, vier fünf, sechs sieben"),
        ("es", "200 personas, 1/2 taza, 1/2 l", "doscientas personas, media taza, medio litro"),
        ("pt", "250 pessoas", "duzentas e cinquenta pessoas"),
        ("de-AT", "am 1.5.2020 um 1:00", "am ersten Mai zweitausendzwanzig um ein Uhr"),
        ("fr", "5 millions $ et 5 millions €", "cinq millions de dollars et cinq millions d'euros"),
        ("fr", "21 tasses, 1 h, 1 km", "vingt et une tasses, une heure, un kilomètre"),
        ("fr", "la 1re, le 1er, la 2e", "la première, le premier, la deuxième"),
        ("fr", "1 234 567,89", "un million deux cent trente-quatre mille cinq cent soixante-sept virgule quatre-vingt-neuf"),
        ("es", "21 km, 1 hora, 2/3 l", "veintiún kilómetros, una hora, dos tercios de litro"),
        ("es", "el 3º, la 3ª, el 3er", "el tercero, la tercera, el tercer"),
        ("it", "1 ora, 1/2 l, 1/4 l", "una ora, mezzo litro, un quarto di litro"),
        ("pt", "2 horas, 2 km, 1 colher", "duas horas, dois quilômetros, uma colher"),
        ("pt-PT", "3,50 €", "três euros e cinquenta"),
        ("pl", "2 km, 5 km, 22 km", "dwa kilometry, pięć kilometrów, dwadzieścia dwa kilometry"),
        ("pl", "w 2024 roku, od 2024 roku", "w dwa tysiące dwudziestym czwartym roku, od dwa tysiące dwudziestego czwartego roku"),
        ("ru", "1 км, 2 км, 5 км, 2 мин", "один километр, два километра, пять километров, две минуты"),
        ("tr", "%50", "yüzde elli"),
        ("sv", "1 km, 1 g", "en kilometer, ett gram"),
        ("ja", "5kmです", "五 キロメートルです"),
        ("zh", "5% 3", "百分之5 3"),
        ("el", "5 km, 3", "5 χιλιόμετρα, 3"),
    ],
)  # fmt: skip
def test_figures_are_said_in_their_language(language: str, written: str, said: str) -> None:
    assert spelled(written, language) == said


def test_a_language_that_nobody_knows_has_none() -> None:
    assert figures_of("tlh") is None
    assert figures_of("") is None
    assert figures_of("../de") is None


@pytest.mark.parametrize("language", [one for one in LANGUAGES if wording(one).numbers])
@given(
    st.integers(0, 10**12 - 1) | st.integers(0, 130),
    st.sampled_from(["", ".", " km", " €", "%", " h", "º"]),
)
def test_every_number_has_words(language: str, number: int, behind: str) -> None:
    said = spelled(f"{number}{behind}", language)
    assert said
    assert not re.search(r"[0-9]", said)
