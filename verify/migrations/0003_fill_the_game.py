"""What the rows of before would have had: cards dealt when they were answered, and how near a post is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verify", "0002_the_game")]

    operations = [
        migrations.RunSQL("UPDATE verify_vote SET dealt_at = created_at", migrations.RunSQL.noop),
        migrations.RunSQL(
            """
            UPDATE verify_post
            SET closeness = (SELECT max(value::float) FROM jsonb_each_text(posterior)) - votes_needed
            WHERE state = 'proposed' AND posterior <> '{}'
            """,
            migrations.RunSQL.noop,
        ),
    ]
