"""Write the sample files."""

from gateway.demo.samples.files import FILES, FOLDER

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in FILES:
        (FOLDER / file.name).write_bytes(file.build())
