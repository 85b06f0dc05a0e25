"""Names that mean harm or are merely odd, of classes and of files; every one is somebody's."""

# Where a script that must not run would leave its mark.
MARK = "hurt-by-a-name"
_SCRIPT = f"document.documentElement.setAttribute('data-{MARK}', '1')"

CLASSES = {
    "unicode": "Müller’s Œuvre",
    "combining": "e\u0301clat c\u0327a",
    "right to left": "\u202eمرحبا\u202c שלום",
    "chinese, japanese, korean": "犬の鳴き声 개 狗",
    "emoji": "dog 🐕‍🦺 👩🏽‍🚒",
    "double quotes": 'a "quoted" name',
    "single quotes and backticks": "it's `touch hurt`",
    "script": f"<script>{_SCRIPT}</script>",
    "picture that fails": f'"><img src=x onerror="{_SCRIPT}">',
    "end of a comment": "--><b>bold</b><!--",
    "entity": "rock &amp; roll & &lt;b&gt;",
    "wildcards": "{wildcards} {dataset} {{x}}",
    "percent": "100%s %(id)s %d",
    "leading dash": "--exec=true",
    "spaces inside": "two  spaces   here",
    "very long": "long " * 60 + "end",
    "NA": "NA",
    "None": "None",
    "formula": "=cmd|' /C calc'!A0",
    "parent folder": "../../../etc/passwd",
    "control characters": "bell\x07 escape\x1b[31m end",
    "shell": "$(touch hurt); rm -rf *",
    "mathematics": "$\\frac{1}{2$ _x ^y",
    "leading underscore": "_hidden",
    "separators": "a,b;c|d\\e",
    "number": "007",
}
# A file's name can hold neither a slash nor 256 bytes.
FILES = {kind: name.replace("/", "\u2215")[:60] + ".wav" for kind, name in CLASSES.items()}
