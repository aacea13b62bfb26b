from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('verify', '0003_fill_the_game'),
    ]

    operations = [
        migrations.CreateModel(
            name='GoldenPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.CharField(help_text='sha256 of the large copy.', max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
