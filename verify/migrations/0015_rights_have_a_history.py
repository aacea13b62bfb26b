from django.db import migrations

# Rights had a state before they had a history: what is public stays so, and says why.
FIRST_LINES = """
INSERT INTO verify_rightschange (post_id, former, rights, at, reason)
SELECT id, 'unknown', rights, now(), 'published before rights were tracked'
FROM verify_post WHERE rights <> 'unknown'
"""

# A history that can be changed is none. It goes with its post; a person who goes leaves it without a name.
APPEND_ONLY = """
CREATE FUNCTION verify_rightschange_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.by_id IS NULL AND
        (OLD.id, OLD.post_id, OLD.former, OLD.rights, OLD.at, OLD.reason)
        = (NEW.id, NEW.post_id, NEW.former, NEW.rights, NEW.at, NEW.reason) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The history of rights is only ever added to.';
END $$;
CREATE TRIGGER verify_rightschange_append_only BEFORE UPDATE ON verify_rightschange
FOR EACH ROW EXECUTE FUNCTION verify_rightschange_append_only();
"""
NO_TRIGGER = """
DROP TRIGGER verify_rightschange_append_only ON verify_rightschange;
DROP FUNCTION verify_rightschange_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("verify", "0014_rights_and_privacy")]

    operations = [
        migrations.RunSQL(FIRST_LINES, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, NO_TRIGGER),
    ]
