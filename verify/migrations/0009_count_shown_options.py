"""How many options the model proposed for the posts of before."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verify", "0008_calibration_and_option_sets")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE verify_suggestion suggestion
            SET shown = (
                SELECT count(*) FROM verify_option option
                WHERE option.suggestion_id = suggestion.id AND NOT option.named
            )
            """,
            migrations.RunSQL.noop,
        ),
    ]
