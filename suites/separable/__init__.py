"""Suite separable: how well a boundary, or an axis, is found where its best place is known in closed form."""
