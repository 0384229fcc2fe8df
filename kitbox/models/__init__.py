"""Networks: timm backbones, where their weights come from, freezing and parameter groups."""
