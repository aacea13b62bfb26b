"""What a portal needs that reads the demo's Instagram; apart from it, so that who starts it draws nothing."""

from dressportal.demo.fake_graph import TOKEN, USER, VERSION

HASHTAG = "dressportal"


def environment(port: int) -> dict[str, str]:
    """Settings of a portal that reads it."""
    return {
        "DRESSPORTAL_INSTAGRAM_URL": f"http://127.0.0.1:{port}/{VERSION}",
        "DRESSPORTAL_INSTAGRAM_USER": USER,
        "DRESSPORTAL_INSTAGRAM_TOKEN": TOKEN,
        "DRESSPORTAL_FETCH_LOOPBACK": "1",
    }


def set_up() -> None:
    """Its hashtag as a source, where there is none of any kind."""
    from verify.models import Hashtag, Source  # the fake itself runs without Django

    if not Source.objects.exists():
        hashtag = Hashtag.objects.get_or_create(name=HASHTAG)[0]
        Source.objects.create(kind=Source.Kind.HASHTAG_RECENT, hashtag=hashtag, every_minutes=1)
