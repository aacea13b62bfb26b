from django.db import migrations

# Where it is missing, or this user may not create it, dresses are searched without it.
CREATE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        CREATE EXTENSION IF NOT EXISTS vector;
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'No pgvector: %', SQLERRM;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0009_count_shown_options")]

    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
