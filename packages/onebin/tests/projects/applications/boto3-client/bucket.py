import sys

import boto3
from botocore.config import Config


def main():
    s3 = boto3.client(
        "s3", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="id",
        aws_secret_access_key="secret", config=Config(s3={"addressing_style": "path"}),
    )
    s3.put_object(Bucket="here", Key="a/b.txt", Body=b"contents")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="here"):
        for item in page.get("Contents", []):
            print(item["Key"], item["Size"])
    print(s3.get_object(Bucket="here", Key="a/b.txt")["Body"].read().decode())
    print(sorted(boto3.session.Session().get_available_services())[:2])
